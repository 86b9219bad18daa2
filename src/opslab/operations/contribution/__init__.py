"""What Product Ops is worth: time, decisions, alignment; what is measured and what is owed."""
