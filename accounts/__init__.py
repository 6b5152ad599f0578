"""Who may do what: organizations, people, brands, tokens, limits, permissions. Knows nothing of servers or money."""
