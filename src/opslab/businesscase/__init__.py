"""The business case: cash flows and money, and the decision that evidence ends in."""
