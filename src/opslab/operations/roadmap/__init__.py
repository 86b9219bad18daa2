"""The roadmap: initiatives that depend on one another, their dates, and how those move."""
