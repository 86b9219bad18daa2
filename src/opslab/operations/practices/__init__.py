"""Practices: where each capability stands, and whether each process is worth its minutes."""
