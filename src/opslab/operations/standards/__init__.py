"""Standards: which documents hold what their template asks for, and how that moved."""
