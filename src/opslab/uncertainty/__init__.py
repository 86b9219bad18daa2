"""Uncertainty: ranges as distributions, repeatable draws, what drives a result, what knowing is worth.

``distributions`` and ``calibration`` (a range, widened), ``draws`` (streams by name), ``updating`` (prior and
data), ``sensitivity`` (tornado, variance shares), ``information`` (EVPI, EVPPI).
"""
