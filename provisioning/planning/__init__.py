"""Plans as values: resources, their keys and hashes, and the bundle that a server gets. Not for I/O."""
