"""Pages made of several apps: the frame around every page, home, search and activity. It holds no rules."""
