"""Arithmetic of prices: pure functions over exact numbers. Knows no framework, no database and no clock."""
