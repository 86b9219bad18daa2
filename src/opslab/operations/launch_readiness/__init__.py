"""Launch readiness: go, conditional or no-go, and who does what by when."""
