"""Settings: base, and what embedded, production and test add to it."""
