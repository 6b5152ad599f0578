"""Bare Debian machines become target servers with live accounts, from nothing."""
