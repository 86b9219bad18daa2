"""Whether a roadmap stays as it was said: its Now items in two filed runs."""

from __future__ import annotations

import datetime

from opslab.errors import SpecError
from opslab.messages import Bilingual
from opslab.operations.cited import cited_run
from opslab.operations.decisions.agreement import Stability
from opslab.operations.decisions.spec import DecisionReview
from opslab.uncertainty.proportions import wilson


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
    moved, gone = list[str](), list[str]()
    for step in now:
        name, then = step["initiative"], later.get(step["id"].casefold())
        shown = Bilingual(name, french=review.french.get(name, name))
        if then is None:
            gone.append(shown)
        elif then["horizon"] not in ("now", "done") or then["ends"] != step["ends"]:
            moved.append(shown)
    stayed = len(now) - len(moved) - len(gone)
    share = wilson(stayed, len(now))
    return Stability(
        first.card.as_of, last.card.as_of, len(now), stayed, share, (*moved,), (*gone,)
    )
