"""Measures the engine on a real server against a script that does the same by hand; run by `script/bench`."""
