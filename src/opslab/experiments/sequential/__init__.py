"""Looking on the way: boundaries, what may be said after stopping, sequences that always hold."""
