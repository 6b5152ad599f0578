"""How dates and numbers are written, by language; languages that are not here are written as Django writes them."""
