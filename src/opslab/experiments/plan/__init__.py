"""Before an experiment: how many units and days, what a look costs, is the error rate kept."""
