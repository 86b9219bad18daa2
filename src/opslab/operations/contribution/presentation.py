"""A contribution's readout: three gains side by side, what they stand on, what is still owed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from opslab.evidence import Evidence, Quantity
from opslab.messages.numbers import decimals
from opslab.messages.units import counted
from opslab.operations.contribution.result import Change, Claim, ContributionResult, Total
from opslab.operations.contribution.spec import GAINS
from opslab.operations.voice import Blocks, Voice, no_figures
from opslab.report.blocks import (
    Cell,
    Fact,
    Group,
    Paragraph,
    Reference,
    Tone,
    Verdict,
)
from opslab.results import Message

_TONES: dict[str, Tone] = {
    "measured": "good",
    "report": "good",
    "debt": "bad",
    "stop": "bad",
    "restore": "bad",
}
_FORMS = (("decimal", "signed_decimal"), ("percent", "signed_points"))
"""How numbers are written, and shares; their changes."""
_WANTED = {"restore": "lost", "measure": "debt", "confirm": "estimated"}
_WORDS = {"timesaved.evidence": "full_use", "decisions.evidence_weeks-saved": "avoided"}
"""By statement: that hours are those of everybody's use, that delay is what there is less of."""


voice = Voice.of("contribution")
figures = no_figures


def _written(
    ends: Sequence[float | None], like: Evidence, say: Voice, *, signed: bool = False
) -> list[str]:
    """Return numbers as those of a finding are written, to two digits of the largest."""
    known, share = [end for end in ends if end is not None], like.unit == "share"
    digits = decimals(max(map(abs, known)) * (100 if share else 1), 2)
    form = getattr(say, _FORMS[share][signed])
    return [form(end, digits) for end in known]


def _amount(quantity: Quantity, evidence: Evidence, say: Voice) -> Cell:
    """Return a quantity in its natural unit, with its interval and that one's level."""
    low, high, interval = quantity.low, quantity.high, ""
    value, *ends = _written((quantity.value, low, high), evidence, say)
    if low is not None and high is not None:
        zero = say("zero") if low < 0 < high else ""
        interval = say("ends", low=ends[0], high=ends[1], level=quantity.level, zero=zero)
    return Cell(_counted(value, evidence, say), interval=interval)


def _counted(number: str, evidence: Evidence, say: Voice) -> str:
    """Return a number with its unit, and what that is counted by."""
    if evidence.unit != "share":
        unit = counted(say.spoken(evidence.unit), number, say.language)
        number = f"{number}\N{NO-BREAK SPACE}{unit}"
    per = say(f"per_{evidence.per}", population=say.spoken(evidence.population))
    if key := _WORDS.get(evidence.statement[0]):
        return say(key, number=number, per=per)
    return f"{number} {per}".rstrip()


def _moved(change: Change, result: ContributionResult, say: Voice, like: Evidence | None) -> str:
    """Return how a figure like another one moved since the last contribution."""
    if result.previous_day is None or (change.kind == "new" and not like):
        return ""
    values: dict[str, Any] = {"day": result.previous_day}
    if like and change.kind == "moved":
        value, low, high = _written(change[2:], like, say, signed=True)
        values |= {"value": _counted(value, like, say), "low": low, "high": high, "level": 0.9}
    return say(f"change_{change.kind}", **values)


def _fact(total: Total, result: ContributionResult, say: Voice) -> Fact:
    """Return a gain as the first screen shows it: its figure, or who owes it."""
    name, shown = say(f"gain_{total.gain}"), _shown(total, result)
    if total.quantity is None:
        reasons = [
            say.message(missing.reason)
            for missing in result.missing
            if missing.gain == total.gain and shown == "lost"
        ]
        owed = [
            say("due_past" if debt in result.overdue else "due", **vars(debt))
            for debt in result.contribution.debts
            if debt.gain == total.gain
        ]
        gone = _moved(total.change, result, say, None)
        remarks = [*reasons, *owed] or [say("unpromised")]
        return Fact(name, say(shown), [*remarks, *filter(None, [gone])])
    evidence = total.claims[0].evidence
    amount = _amount(total.quantity, evidence, say)
    remarks = [
        _names(total.claims, say),
        amount.interval,
        say(f"graded_{total.state}", words=say(f"grade_{total.grade}"), grade=total.grade),
        _moved(total.change, result, say, evidence),
        say("level") if _is_level(total, evidence) else "",
        *(_named("beside", other, say) for other in total.beside),
    ]
    return Fact(name, amount.text, [*filter(None, remarks)])


def _shown(total: Total, result: ContributionResult) -> str:
    """Return a gain's state, and of one that would have a readout that it is lost."""
    return "lost" if total.gain in result.lost else total.state


def _is_level(total: Total, evidence: Evidence) -> bool:
    """Whether a figure is how things stand, and nothing tells that they moved."""
    gain = evidence.per == "year" or evidence.statement[0] in _WORDS or evidence.kind == "causal"
    return total.change.kind != "moved" and not gain


def _named(key: str, total: Total, say: Voice, **values: str) -> str:
    """Return a total's figure in words: what it is called, its amount and its interval."""
    if not total.quantity:
        return ""
    amount = _amount(total.quantity, total.claims[0].evidence, say)
    interval = f" ({amount.interval})" if amount.interval else ""
    return say(key, name=_names(total.claims, say), amount=amount.text + interval, **values)


def _names(claims: Sequence[Claim], say: Voice) -> str:
    """Return what claims are called: as their sources are."""
    return say.listed([*dict.fromkeys(say.spoken(claim.name) for claim in claims)])


def headline(result: ContributionResult, say: Voice) -> str:
    """Return the sentence that a sponsor reads first."""
    if result.broken:
        return say("headline_stop")
    sentences = []
    for state in ("measured", "estimated", "lost", "debt"):
        names = [
            _named("named", total, say, gain=say(total.gain)) or say(total.gain)
            for total in result.totals
            if _shown(total, result) == state
        ]
        sentences += [say(f"are_{state}", names=names)] * bool(names)
    besides = [other for total in result.totals for other in total.beside]
    sentences += [f"{_named('beside', total, say)}." for total in besides]
    return " ".join([*sentences, *(say.message(check.detail) for check in result.conditions)])


def first_screen(result: ContributionResult, say: Voice) -> Verdict:
    """Return the three gains side by side, and what to do."""
    spec, action = result.contribution, result.action
    wanted = [
        say(total.gain) for total in result.totals if _shown(total, result) == _WANTED.get(action)
    ]
    return say.verdict(
        spec,
        [_fact(total, result, say) for total in result.totals],
        kicker=say("kicker", as_of=result.as_of),
        action=say(f"action_{action}", names=wanted),
        headline=headline(result, say),
        tone=_TONES.get(action, "open"),
        reasons=[
            say.message(check.detail)
            for check in result.checks
            if check.status != "pass" and check not in result.conditions
        ],
    )


def _row(claim: Claim, result: ContributionResult, say: Voice) -> list[str | Cell]:
    """Return a claim's row of the table."""
    evidence, run = claim.evidence, claim.run
    amount = _amount(evidence.quantity, evidence, say)
    again = say("counted_in", name=say.spoken(claim.counted_in)) if claim.counted_in else ""
    names = [say.message(condition) for condition in claim.conditions]
    refs = [Reference(say("readout"), run.link, say("readout_of", run=run.id))] if run.link else []
    return [
        Cell(claim.name, say.message(Message(*evidence.statement))),
        Cell(amount.text, again, interval=amount.interval),
        Cell(
            say(claim.state, grade=evidence.grade),
            say("conditions", names=names) if names else "",
            tone=_TONES.get(claim.state, "open"),
        ),
        Cell(say.date(run.day), refs=refs),
        *([_moved(claim.change, result, say, evidence)] if result.previous_day else []),
    ]


def _tables(name: str, result: ContributionResult, say: Voice) -> Blocks:
    """Return what a part shows."""
    if name == "checks":
        return [say.checks(result.checks)]
    if name == "gains":
        rows = {
            gain: [_row(claim, result, say) for claim in result.claims if claim.gain == gain]
            for gain in GAINS
        }
        groups = [Group(Cell(say(f"gain_{gain}")), rows[gain]) for gain in GAINS if rows[gain]]
        columns = "name figure state run" + " change" * bool(result.previous_day)
        return [say.table(name, columns, groups=groups)] if groups else []
    if name == "method":
        said = say("on_method", seed=result.seed, oldest=result.contribution.oldest_days)
        passed = [say("on_passed", names=result.passed)] * bool(result.passed)
        return [*map(Paragraph, [*said.splitlines(), *passed])]
    debts = [
        (
            say(f"gain_{debt.gain}"),
            Cell(debt.statement, debt.measure),
            Cell(say.date(debt.by), say("overdue") * (debt in result.overdue)),
            debt.owner,
        )
        for debt in result.contribution.debts
    ]
    return [
        say.table(name, "gain debt by owner", debts) if debts else say.paragraph("no_debts"),
        *(
            say.paragraph("missing", "open", name=missing.name, reason=say.message(missing.reason))
            for missing in result.missing
        ),
    ]


def _part(name: str, result: ContributionResult, say: Voice) -> Blocks:
    """Return a part: its heading, and what it shows."""
    return [say.heading(name), *_tables(name, result, say)]


PARTS = {name: partial(_part, name) for name in ContributionResult.PARTS}
