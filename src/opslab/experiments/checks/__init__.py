"""Whether the data of an experiment can be trusted."""
