"""Reads of provisioning: what pages, the API, services and the compiler ask the database."""
