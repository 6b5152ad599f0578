"""Debian's WordPress runs on the default stack, executed as its tenant."""
