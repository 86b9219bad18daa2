"""Whether a roadmap stays as it was said: its Now items in two filed runs."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from opslab.errors import SpecError
from opslab.messages import Bilingual
from opslab.operations.cited import cited_run
from opslab.operations.decisions.spec import DecisionReview
from opslab.uncertainty.proportions import Interval, wilson


class Stability(NamedTuple):
    """How many Now items of a roadmap stayed as they were in a later one."""

    earlier: datetime.date
    later: datetime.date
    items: int
    unchanged: int
    share: Interval
    moved: tuple[str, ...]
    gone: tuple[str, ...]


def stability(review: DecisionReview, day: datetime.date) -> Stability | None:
    """Return how many Now items of the earlier roadmap stayed in the later; None without two.

    One stayed that is still Now or done, with the end that was announced.

    Raises
    ------
    SpecError
        For a run that cannot be cited, runs of two roadmaps or of one day, or of a day to come.
    """
    cited = [
        cited_run(review, folder, "roadmaps", at, notebook="roadmap")
        for at, folder in enumerate(review.roadmaps)
    ]
    if not cited:
        return None
    first, last = sorted(cited, key=lambda run: run.card.as_of)
    values = {"earlier": first.card.as_of, "later": last.card.as_of, "day": day}
    if not values["earlier"] < values["later"] <= day:
        raise SpecError(review.problem("operations.roadmap_days", "roadmaps", **values))
    if first.card.name != last.card.name:
        names = {"first": first.card.name, "last": last.card.name}
        raise SpecError(review.problem("operations.other_roadmap", "roadmaps", **names))
    now = [step for step in first.record["steps"] if step["horizon"] == "now"]
    later = {step["id"].casefold(): step for step in last.record["steps"]}
    names = {
        step["id"]: Bilingual(name := step["initiative"], french=review.french.get(name, name))
        for step in now
    }
    ends = {
        step["id"]: then["horizon"] in ("now", "done") and then["ends"] == step["ends"]
        for step in now
        if (then := later.get(step["id"].casefold()))
    }
    stayed = sum(ends.values())
    return Stability(
        first.card.as_of,
        last.card.as_of,
        len(now),
        stayed,
        wilson(stayed, len(now)),
        moved=tuple(names[step] for step in ends if not ends[step]),
        gone=tuple(names[step] for step in names if step not in ends),
    )
