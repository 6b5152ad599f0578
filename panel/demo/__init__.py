"""The demo: one whole installation with a real target server, made by the same services as pages and API use."""
