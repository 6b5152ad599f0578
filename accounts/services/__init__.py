"""The verbs of the accounts app: keyword-only, `actor` first, each with its permission, its audit entry, one transaction."""
