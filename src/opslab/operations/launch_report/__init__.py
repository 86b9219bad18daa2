"""The report of a launch weeks after it: what moved, what people say, what was learned."""
