"""What changed between two days: decided, launched, learned, changed, asked."""
