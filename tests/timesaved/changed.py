"""Changes as the tests make them: a value for each team and week, with a known truth."""

import datetime
import hashlib
import json

import numpy as np
import pandas as pd

from opslab.archive import sealed
from opslab.timesaved import ChangeReview, review_change

FIRST = datetime.date(2026, 1, 5)
"""A Monday."""
WEEK = datetime.timedelta(7)


def week(number):
    return FIRST + number * WEEK


def values(teams=8, treated=4, weeks=30, start=14, effect=-0.2, noise=0.05, seed=1):
    """Return hours by team and week: a level each, a common trend, noise, and the effect."""
    random = np.random.default_rng(seed)
    level = 10 + 2 * np.arange(teams)[:, None]
    made = level * np.exp(0.005 * np.arange(weeks) + noise * random.standard_normal((teams, weeks)))
    made[:treated, start:] *= 1 + effect
    return made


def table(made):
    """Return a panel as one's own table: team, week, value; NaN is no row."""
    return pd.DataFrame(
        [
            {"team": f"T{team:02}", "week": week(at), "value": made[team, at]}
            for team in range(made.shape[0])
            for at in range(made.shape[1])
            if not np.isnan(made[team, at])
        ]
    )


def declared(made, treated=4, start=14, chosen="staggered", pilot=None, measure=None, **more):
    starts = {f"T{team:02}": week(start) for team in range(treated)}
    if chosen == "staggered" and len({*starts.values()}) == 1 and treated < len(made):
        starts[f"T{treated:02}"] = week(99)  # its turn has not come
    given = {"start": week(start)} if chosen == "everybody" else {"starts": starts}
    known = {
        "change": "Desk",
        "date": week(made.shape[1]) - datetime.timedelta(1),
        "data": {"path": "log.csv", "profile": "change-panel"},
        "measure": {"name": "hours on triage", "quantity": "hours", "unit": "team"}
        | (measure or {}),
        "pilot": {"chosen": chosen, "phase_in": 0} | given | (pilot or {}),
    }
    return ChangeReview(**known | more)


def reviewed(made=None, *, seed=1, as_of=None, **more):
    made = values() if made is None else made
    return review_change(declared(made, **more), as_of, seed=seed, data=table(made))


def filed(reports, result, run="change_review/desk/2026-08-02-0123abcd", **record):
    """File a run of a result as the runner does; return its folder."""
    content = json.dumps(result.record() | record).encode()
    home = reports / run
    home.mkdir(parents=True, exist_ok=True)
    files = {"result.json": content, "notebook.ipynb": b"{}", "readout.html": b"<html>"}
    for file, data in files.items():
        (home / file).write_bytes(data)
    notebook, name, folder = run.split("/")
    card = {
        "notebook": notebook,
        "name": name,
        "as_of": folder[:10],
        "digest": folder[11:],
        "status": record.get("status", result.status),
        "headline": "",
        "outputs": {file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    }
    (home / "run.json").write_text(json.dumps(sealed(card)))
    return home
