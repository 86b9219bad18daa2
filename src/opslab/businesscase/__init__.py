"""The business case: from evidence and assumptions to a decision that a sponsor can sign."""
