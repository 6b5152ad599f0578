"""How a brand speaks by mail: its words, its sender, how it is signed and carried. Not what is sent to whom."""
