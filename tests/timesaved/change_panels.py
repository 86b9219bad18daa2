"""Small panels and reviews of a change for tests."""

import datetime

import numpy as np

from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.spec import ChangeReview


def a_review(quantity="hours", chosen="everybody", **fields):
    day = datetime.date(2025, 1, 6)
    starts = {"team 00": day, "team 01": day + datetime.timedelta(7)}
    alike = chosen in ("everybody", "worst_first")
    pilot = {"chosen": chosen, "phase_in": 0} | ({"start": day} if alike else {"starts": starts})
    return ChangeReview.model_validate(
        {
            "change": "A change",
            "data": {"path": "log.csv"},
            "pilot": pilot | fields.pop("pilot", {}),
            "measure": {"name": "work", "quantity": quantity, "unit": "Team"}
            | fields.pop("measure", {}),
            **fields,
        }
    )


def a_panel(values, starts):
    values, first = np.atleast_2d(np.asarray(values, float)), datetime.date(2024, 1, 1)
    periods = tuple(first + datetime.timedelta(7 * week) for week in range(values.shape[1]))
    units = tuple(f"team {at:02}" for at in range(len(values)))
    starts = np.broadcast_to(starts, len(values))
    rows, none = np.ones(values.shape), np.zeros(values.shape)
    return Panel(units, periods, values, rows, starts, {}, (), True, none)
