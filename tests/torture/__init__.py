"""The long campaign of bad inputs, kills, flipped bits and bombs: `make torture`; see `__main__`."""
