"""What is looked at before a contribution is told to anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opslab.messages import Bilingual, text
from opslab.operations.contribution.result import ContributionResult
from opslab.operations.contribution.spec import GAINS
from opslab.results import Check, Message, Status


def run(result: ContributionResult) -> Iterator[Check]:
    """Give the checks of a contribution; one blocks: whether any of its runs can be used."""
    counted = result.counted
    known = {total.gain for total in result.totals if total.claims} | {*result.lost}
    known |= {debt.gain for debt in result.contribution.debts}
    wrong: dict[str, Iterable[str]] = {
        "readouts": [missing.run for missing in result.missing if not missing.used],
        "picks": [missing.name for missing in result.missing if missing.used],
        "conditions": [claim.run.id for claim in counted if claim.conditions],
        "counted_twice": [claim.name for claim in result.claims if claim.counted_in],
        "overdue": [debt.statement for debt in result.overdue],
        "unpromised": [
            Bilingual(text(f"contribution.{gain}"), french=text(f"contribution.{gain}", "fr"))
            for gain in GAINS
            if gain not in known
        ],
    }
    for name, every in wrong.items():
        names, blocking = [*dict.fromkeys(every)], name == "readouts"
        failed = name == "conditions" or (blocking and not result.claims)
        status: Status = ("fail" if failed else "warn") if names else "pass"
        detail = Message(f"contribution.{name}_{status}", {"names": names, "count": len(names)})
        yield Check(name, status, detail, len(names), blocking)
