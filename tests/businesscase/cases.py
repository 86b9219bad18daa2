"""Cases as the engine's tests declare them, small, and findings and filed runs made by hand."""

import copy
import datetime
import hashlib
import json

from opslab.archive import sealed
from opslab.businesscase.spec import Case
from opslab.evidence import Evidence, Quantity, SourceFile

DAY = datetime.date(2026, 10, 5)
RISK = {"risk": "nobody uses it", "owner": "ops", "trigger": "use under 50 %"}
KPI = {
    "id": "k1",
    "name": "weeks to decision",
    "gain": "decisions",
    "unit": "weeks",
    "baseline": 7,
    "target": 5,
    "low": 4,
    "high": 6,
    "date": "2027-12-31",
    "kill": 6.5,
    "source": "log",
    "owner": "ops",
}


def money(name, amount, per="year", **more):
    """Return an assumption in euros; known for sure unless low and high are given."""
    ends = (
        {"likely": amount}
        if not isinstance(amount, tuple)
        else dict(zip(("low", "high"), amount, strict=True))
    )
    return (
        {"id": name, "statement": name, "currency": "EUR", "per": per, "grade": "D"} | ends | more
    )


def share(name, amount, **more):
    ends = (
        {"likely": amount}
        if not isinstance(amount, tuple)
        else dict(zip(("low", "high"), amount, strict=True))
    )
    return {"id": name, "statement": name, "share": True, "grade": "D"} | ends | more


def units(name, amount, per, **more):
    ends = (
        {"likely": amount}
        if not isinstance(amount, tuple)
        else dict(zip(("low", "high"), amount, strict=True))
    )
    return {"id": name, "statement": name, "per": per, "grade": "D"} | ends | more


def benefit(name, quantity=None, **more):
    given = {"name": name, "gain": "time", "starts": "2027-01-01"} | more
    return given | ({"quantity": quantity, "kind": more.get("kind", "hard")} if quantity else {})


def cost(name, amount, **more):
    return {"name": name, "amount": amount, "starts": "2027-01-01"} | more


def fields(assumptions, benefits, costs, options=None, **more):
    """Return the fields of a case; by default doing nothing costs ``idle``, and one option ends it all."""
    finance = {
        "currency": "EUR",
        "start": "2027-01-01",
        "rate": 0.1,
        "horizon_months": 36,
    } | more.pop("finance", {})
    if options is None:
        assumptions = [*assumptions, money("idle", 0)]
        options = [
            {"name": "nothing", "kind": "do_nothing", "costs": ["idle"]},
            {
                "name": "ask",
                "kind": "recommended",
                "benefits": [one["name"] for one in benefits],
                "costs": [one["name"] for one in costs],
            },
        ]
        costs = [*costs, cost("idle", "idle")]
    return copy.deepcopy(
        {
            "case": "Test case",
            "date": DAY.isoformat(),
            "owner": "ops",
            "sponsor": "cpo",
            "calibration": "trained",
            "ask": {"sentence": "two posts", "problem": "slow"},
            "decision": {"wanted": "approve", "by": "2026-11-16", "who": "cpo"},
            "finance": finance,
            "assumptions": assumptions,
            "benefits": benefits,
            "costs": costs,
            "options": options,
            "risks": [RISK],
            "kpis": [KPI],
        }
        | more
    )


def case(*arguments, **more):
    return Case(**fields(*arguments, **more))


def simple(**more):
    """Return the fields of a case with one gain of 100,000 a year and one cost of 60,000."""
    return fields(
        [money("gain", 100_000), money("pay", 60_000)],
        [benefit("gained", "gain")],
        [cost("paid", "pay")],
        **more,
    )


def finding(name="desk/pm/tag", quantity=None, **more):
    """Return a finding of hours a year, as the time-saved notebook tells them."""
    quantiles = {"p5": 100.0, "p25": 160.0, "p50": 200.0, "p75": 250.0, "p95": 330.0}
    given = {
        "id": name,
        "kind": "causal",
        "statement": ("timesaved.evidence", {"task": "tag", "role": "pm", "initiatives": ["desk"]}),
        "quantity": quantity or Quantity("quantiles", quantiles, 207.0, 100.0, 330.0, 0.9),
        "unit": "hours",
        "per": "year",
        "period": (None, None),
        "population": "pm",
        "claim": f"hours:{name}",
        "benefit": "capacity",
        "grade": "B",
        "sources": (),
        "date": DAY,
        "owner": "ops",
    }
    return Evidence(**(given | more))


def win(name="shop/orders/short", location=0.02, scale=0.005, **more):
    """Return a finding of an experiment: value enabled, as a share per unit."""
    quantity = Quantity(
        "student_t",
        {"location": location, "scale": scale, "degrees_of_freedom": 400.0},
        location,
        location - 1.96 * scale,
        location + 1.96 * scale,
        0.95,
    )
    given = {
        "unit": "share",
        "per": "unit",
        "population": "user_id",
        "benefit": "enabled",
        "grade": "A",
    }
    return finding(name, quantity, **(given | {"claim": f"metric:{name}"} | more))


def file_run(reports, run, evidence=(), status="complete", **record):
    """File a run as the runner does: its record, and beside it the record's hash. Return its folder."""
    notebook, name, folder = run.split("/")
    told = [one.record() if isinstance(one, Evidence) else one for one in evidence]
    content = json.dumps({"status": status, "evidence": told} | record).encode()
    made = reports / notebook / name / folder
    made.mkdir(parents=True, exist_ok=True)
    files = {"result.json": content, "notebook.ipynb": b"{}", "readout.html": b"<html>"}
    for file, data in files.items():
        (made / file).write_bytes(data)
    noted = {
        "notebook": notebook,
        "name": name,
        "as_of": folder[:10],
        "status": status,
        "headline": "It holds.",
        "digest": folder[11:],
        "outputs": {file: hashlib.sha256(data).hexdigest() for file, data in files.items()},
    }
    (made / "run.json").write_text(json.dumps(sealed(noted)))
    return made


def source(path, content=b"rows", name=None):
    """Write a file and return it as a source of a finding."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return SourceFile(name or path.name, hashlib.sha256(content).hexdigest(), 1)


def hours_case(found="e", run="time_saved/desk", **more):
    """Return the fields of a case whose gain is hours of evidence, worth 50 each."""
    line = benefit(
        "hours", evidence=[found], worth="rate", adoption="use", recapture="work", decay="wear"
    ) | more.pop("line", {})
    return fields(
        [
            money("rate", 50, "hours"),
            share("use", 0.8),
            share("work", 0.5),
            share("wear", 0.1),
            money("pay", 1000),
            *more.pop("assumptions", []),
        ],
        [line],
        [cost("paid", "pay")],
        evidence=[{"id": found, "run": run}],
        **more,
    )


def teams(people, role="pm", **more):
    """Return the fields of `hours_case` with a team of 1,600 hours a year each."""
    return hours_case(teams=[{"role": role, "people": people, "hours": 1_600}], **more)
