"""Whether the ranges of a business case keep their promise: invented worlds whose truth is known."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from opslab import businesscase
from opslab.businesscase.cashflow import cash_flow, weights_of
from opslab.businesscase.citations import findings_given
from opslab.businesscase.ledger import prepare
from opslab.businesscase.quantities import Quantities
from opslab.businesscase.simulation import Horizon, net
from opslab.evidence import Evidence, Quantity
from opslab.uncertainty.calibration import UNTRAINED, widening
from simulations import Row, generator

DRAWS = 100_000
WHY = "people who are sure of too much, taken at their word"


def declared(calibration: str) -> dict[str, Any]:
    """Return a case in which every stated quantity is a range: hours, their worth, use, wear, lateness, costs."""
    share: dict[str, Any] = {"share": True}
    euros: dict[str, Any] = {"currency": "EUR"}
    return {
        "case": "validation",
        "date": "2026-10-05",
        "owner": "ops",
        "sponsor": "cpo",
        "calibration": calibration,
        "ask": {"sentence": "a post", "problem": "slow"},
        "decision": {"wanted": "approve", "by": "2026-11-16", "who": "cpo"},
        "finance": {"currency": "EUR", "start": "2027-01-01"},
        "evidence": [{"id": "hours", "run": "time_saved/desk"}],
        "assumptions": [
            {"id": "rate", "statement": "an hour", "low": 45, "high": 70, "per": "hour"} | euros,
            {"id": "use", "statement": "use", "low": 0.4, "high": 0.9} | share,
            {"id": "work", "statement": "work", "low": 0.3, "high": 0.7} | share,
            {"id": "wear", "statement": "wear", "low": 0.05, "high": 0.25, "grade": "D"} | share,
            {"id": "weeks", "statement": "weeks sooner", "low": 4, "high": 20, "per": "week"},
            {
                "id": "delay",
                "statement": "a week of delay",
                "low": 800,
                "high": 3_000,
                "per": "week",
            }
            | euros,
            {"id": "post", "statement": "a post", "low": 38_000, "high": 50_000, "per": "year"}
            | euros,
            {"id": "grow", "statement": "pay rises", "low": 0.01, "high": 0.05} | share,
            {
                "id": "set",
                "statement": "setting up",
                "low": 5_000,
                "likely": 9_000,
                "high": 20_000,
                "per": "once",
            }
            | euros,
            {
                "id": "fine",
                "statement": "a second move",
                "low": 8_000,
                "high": 15_000,
                "per": "once",
            }
            | euros,
            {"id": "risk", "statement": "chance of it", "likely": 0.3} | share,
            {"id": "idle", "statement": "overtime", "low": 3_000, "high": 6_000, "per": "year"}
            | euros,
        ],
        "roadmap": [
            {
                "id": "go",
                "name": "go",
                "starts": "2027-01-01",
                "ends": "2027-03-31",
                "slip": {"low": 0.5, "high": 5},
            }
        ],
        "benefits": [
            {
                "name": "hours",
                "gain": "time",
                "evidence": ["hours"],
                "worth": "rate",
                "adoption": "use",
                "recapture": "work",
                "decay": "wear",
                "ramp_months": 6,
                "starts": "go",
            },
            {
                "name": "sooner",
                "gain": "decisions",
                "kind": "capacity",
                "quantity": "weeks",
                "worth": "delay",
                "adoption": "use",
                "starts": "go",
            },
        ],
        "costs": [
            {"name": "post", "amount": "post", "starts": "2027-01-01", "trend": "grow"},
            {"name": "set up", "amount": "set", "starts": "2027-01-01"},
            {"name": "move", "amount": "fine", "starts": "2028-01-01", "probability": "risk"},
            {
                "name": "overtime",
                "amount": "idle",
                "starts": "2027-01-01",
                "benefit": "hard",
                "claim": {"budget": "6411"},
            },
        ],
        "options": [
            {"name": "nothing", "kind": "do_nothing", "costs": ["overtime"]},
            {
                "name": "ask",
                "kind": "recommended",
                "benefits": ["hours", "sooner"],
                "costs": ["post", "set up", "move"],
            },
        ],
        "risks": [{"risk": "late", "owner": "ops", "trigger": "slip"}],
        "kpis": [
            {
                "id": "k",
                "name": "use",
                "gain": "time",
                "unit": "share",
                "baseline": 0,
                "target": 0.7,
                "low": 0.5,
                "high": 0.9,
                "date": "2027-12-31",
                "kill": 0.3,
                "source": "log",
                "owner": "ops",
            }
        ],
    }


def hours() -> Evidence:
    """Return hours a year, normal."""
    quantity = Quantity(
        "normal", {"location": 3_200.0, "scale": 400.0}, 3_200.0, 2_542.0, 3_858.0, 0.9
    )
    return Evidence(
        "desk/pm/tag",
        "causal",
        ("timesaved.evidence", {"task": "tag", "role": "pm", "initiatives": ["desk"]}),
        quantity,
        "hours",
        "year",
        (None, None),
        "pm",
        "hours:pm/tag",
        "capacity",
        "B",
        (),
    )


def truths(case: businesscase.Case, factor: float, worlds: int) -> np.ndarray:
    """Return the NPV of worlds whose quantities come from what is stated, ranges of people `factor` as wide.

    The cash flow is the engine's (the tests hold it against a slow one); the draws are not.
    """
    stated = case.model_copy(update={"calibration": "untrained" if factor > 1 else "trained"})
    findings = findings_given(case, {"hours": [hours()]})
    known = prepare(stated, findings, case.date).known
    [option], _ = weights_of(case)
    random = generator(f"case {factor:.2f}")
    score = {name: random.standard_normal(worlds) for name in sorted(known)}
    event = random.random(worlds)
    horizon = Horizon(case.finance.horizon_months, case.finance.rate, case.finance.timing)

    class Worlds(Quantities):
        def happens(self, _line: str, probability: str) -> np.ndarray:
            return (event < self.known[probability].mean).astype(float)

    worlds_of = Worlds({name: one.used for name, one in known.items()}, score.__getitem__)
    return net(cash_flow(case, findings, known).flows, option, worlds_of, horizon)


def ranges(experiments: int) -> Iterator[Row]:
    """The 80 % range and P(NPV > 0) of a business case, where people are as sure as they may be and surer."""
    wide = widening(UNTRAINED)
    for calibration, factor, why in (
        ("trained", 1.0, ""),
        ("untrained", wide, ""),
        ("trained", wide, f"(not used) {WHY}"),
    ):
        case = businesscase.Case(**declared(calibration))
        result = businesscase.build(case, {"hours": [hours()]}, draws=DRAWS)
        npv, chance = result.recommended.npv, result.recommended.positive[0]
        true = truths(case, factor, experiments)
        used = " (not used)" if why else ""
        people = "untrained" if factor > 1 else "trained"
        name = f"estimates of {people} people, taken as of {calibration}"
        held = float(((npv.p10 <= true) & (true <= npv.p90)).mean())
        yield Row(
            f"business case: p10 to p90 of the NPV{used}",
            name,
            experiments,
            "coverage",
            held,
            0.8,
            why and WHY,
        )
        if not why:
            below = float((true < npv.p10).mean())
            yield Row(
                "business case: NPV below its p10", name, experiments, "false alarms", below, 0.1
            )
            positive = float((true > 0).mean())
            yield Row("business case: P(NPV > 0)", name, experiments, "coverage", positive, chance)


if __name__ == "__main__":
    for row in ranges(10_000):
        print(row.line())
