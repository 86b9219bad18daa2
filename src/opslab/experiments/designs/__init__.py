"""Designs that are looked at on the way: their looks, their paths, what is believed after them."""
