"""Days from idea to decision: those of a program, whose newest ideas are still open."""

import datetime

import numpy as np
import pytest

from opslab.errors import DataError
from opslab.experiments import Program, review_program

DAY = datetime.date(2026, 1, 1)


def ideas(*spans, first=DAY):
    return tuple(
        {
            "idea": f"idea {at}",
            "date": first + datetime.timedelta(at),
            "decided": None if days is None else first + datetime.timedelta(at + days),
        }
        for at, days in enumerate(spans)
    )


def test_open_ideas_are_censored_and_later_decisions_unknown():
    result = review_program(
        Program(program="x", date=DAY + datetime.timedelta(30), ideas=ideas(10, 20, None, 60))
    )
    (every,) = result.cycles
    assert (every.ideas, every.open) == (4, 2)
    assert every.median == 20
    assert every.longest == 28
    assert result.cycle_change is None
    assert result.status == "complete"


def test_young_ideas_are_no_sign_of_speed():
    """The group since the standard decides as slowly; only its quick ideas can be over by now."""
    random = np.random.default_rng(6)
    written = random.uniform(0, 360, 400)
    took = random.exponential(80, 400)
    rows = [
        {
            "idea": str(at),
            "date": DAY + datetime.timedelta(int(day)),
            "decided": DAY + datetime.timedelta(int(day) + int(days))
            if day + days <= 365
            else None,
        }
        for at, (day, days) in enumerate(zip(written, took, strict=True))
    ]
    standard = DAY + datetime.timedelta(240)
    program = Program(
        program="x", date=DAY + datetime.timedelta(365), ideas=tuple(rows), standardised=standard
    )
    result = review_program(program)
    _, low, high, horizon = result.cycle_change
    assert low < 0 < high
    assert horizon <= 125
    naive = [
        np.mean(
            [d for w, d in zip(written, took, strict=True) if w + d <= 365 and (w >= 240) == side]
        )
        for side in (False, True)
    ]
    assert naive[0] - naive[1] > 15  # what the mean of decided ideas would have claimed
    assert [cycle.group for cycle in result.cycles] == ["all", "before", "since"]


def test_a_decision_before_its_idea_is_refused(tmp_path):
    table = tmp_path / "ideas.csv"
    table.write_text(
        "Idée;Notée le;Décidée le\na;03/04/2026;02/04/2026\nb;13/04/2026;\n", encoding="utf-8"
    )
    spec = tmp_path / "program.yaml"
    spec.write_text("program: x\ndate: 2026-06-01\nideas: {path: ideas.csv}\n")
    with pytest.raises(DataError) as caught:
        review_program(Program.load(spec))
    (problem,) = caught.value.problems
    assert (problem.row, problem.field) == (2, "Décidée le")
    assert "earlier than the idea" in problem.text()
    assert "antérieure" in problem.text("fr")
