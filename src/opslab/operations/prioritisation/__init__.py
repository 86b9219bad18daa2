"""Prioritisation: a backlog's order, how sure it is, and what would change it."""
