"""Decisions: how long they take, what they stand on, whether forecasts come true, who agrees."""
