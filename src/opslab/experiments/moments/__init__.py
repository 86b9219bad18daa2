"""Sums that are collected in one pass over the rows, and merged in a stated order."""
