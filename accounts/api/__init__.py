"""API endpoints of the accounts app, thin over its services."""
