"""Uncertainty: ranges as distributions, repeatable draws, what drives a result, what knowing is worth.

``stated``, ``distributions`` and ``calibration`` (a range, widened), ``draws`` (streams by name),
``ramp`` (how a change comes into use), ``updating`` (prior and data), ``sensitivity`` (tornado,
variance shares), ``information`` (EVPI, EVPPI).
"""
