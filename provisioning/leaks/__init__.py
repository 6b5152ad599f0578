"""What a stranger can read of a brand, and whose names must not be in it. Pure: it knows no row and changes nothing."""
