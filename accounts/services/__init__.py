"""The verbs of the accounts app: keyword-only, `actor` first, each with permission, audit entry and one transaction."""
