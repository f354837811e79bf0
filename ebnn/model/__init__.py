"""The Network: a frozen value of layers, what its values are, how it is read from files and what it answers."""
