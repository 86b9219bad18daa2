from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tei:
    npv: float


def discount_factors(months, rate, timing="monthly"):
    m = np.arange(months)
    e = {"monthly": (m + 1) / 12, "end_year": m // 12 + 1.0, "mid_year": m // 12 + 0.5}[timing]
    return (1 + rate) ** -e


def roi(n, c):
    return n / c if c else None


def tei(b, c, benefit_risk=0.2, cost_risk=0.1, rate=0.1):
    return Tei(0.0)


def payback_draws(c):
    up = c[1:] >= 0
    hit = up.any(0)
    first = np.where(hit, up.argmax(0) + 1.0, np.nan)
    last = c.shape[0] - 1
    again = hit & ((~up) & (np.arange(1, last + 1)[:, None] > np.nan_to_num(first, nan=1e9))).any(0)
    return first, again
