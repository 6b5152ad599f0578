"""What goes wrong on the way to a server ends in a clear state, and in the desired one once it can."""
