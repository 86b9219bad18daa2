"""Inventories as the tests declare them."""

from opslab.timesaved.inventory import Inventory

LINE = {
    "task": "tag",
    "role": "pm",
    "initiative": "desk",
    "people": 10,
    "frequency": 4,
    "minutes": 30,
    "reduction": 0.3,
    "adoption": 1,
    "ramp_months": 0,
    "decay": 0,
    "recapture": 1,
}
RANGED = LINE | {
    "frequency": {"low": 2, "high": 6},
    "minutes": {"low": 10, "high": 40},
    "reduction": {"low": 0.2, "high": 0.6},
    "adoption": {"low": 0.5, "high": 0.9},
    "ramp_months": 6,
    "decay": {"low": 0.1, "high": 0.2},
    "new_minutes": {"low": 1, "high": 3},
    "recapture": {"low": 0.3, "high": 0.7},
}


def inventory(*lines, **more):
    return Inventory(
        inventory="desk", **({"calibration": "trained"} | more), lines=lines or (LINE,)
    )
