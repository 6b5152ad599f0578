"""API endpoints of provisioning, thin over its services and selectors."""
