"""The log as it stood on the day: which decisions count, when each was taken, and what is odd."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opslab.errors import DataError, Problem, did_you_mean
from opslab.messages import Bilingual, spoken
from opslab.names import folded
from opslab.operations.decisions.quality import basis
from opslab.operations.decisions.result import Known, State
from opslab.operations.decisions.spec import Decision, DecisionReview, StatusChange, Statuses
from opslab.operations.decisions.trials import Trials, trial_by
from opslab.specs import refuse_unknown
from opslab.tables.exports import open_export
from opslab.tables.import_report import Answers, Reading
from opslab.tables.sheets import Sheet, read_sheet
from opslab.tables.source import ROW, quoted

_NEAR = 0.83  # Withdrawal is Withdrawn, and Reportée is not Rejetée


APART = datetime.timedelta(30)
"""Between the decision in the log and in the history: beyond it the two disagree."""
_DAY = datetime.timedelta(1)
_STATES: Mapping[str, State] = {
    "open": "open",
    "ignored": "open",
    "decided": "decided",
    "against": "decided",
    "withdrawn": "withdrawn",
    "closed": "withdrawn",
}
"""Where a question stands whose status is of a kind."""
_SAME = {"id", "decision", "team", "owner", "raised", "probability", "review"}
Change = tuple[datetime.date, str]
"""A day, and the kind of the status from then on."""


class Meaning(NamedTuple):
    """What a status was read as.

    Attributes
    ----------
    status : str
        As it is declared.
    kind : str
        Field of `Statuses` that declares it.
    misspelt : bool
    """

    status: str
    kind: str
    misspelt: bool = False


def meaning(written: str, statuses: Statuses) -> Meaning | None:
    """Return what a status was read as, the nearest one where it is misspelt; None for no status.

    A misspelt word begins as it should: "undecided" is not near to "decided". One with a question
    mark is none that is declared without.

    Examples
    --------
    >>> meaning("Acepted", Statuses())
    Meaning(status='Accepted', kind='decided', misspelt=True)
    >>> [meaning(word, Statuses()) for word in ("Undecided", "Decided?", "April Fool!")]
    [None, None, None]
    """
    known = {
        folded(word): Meaning(name, kind)
        for kind, names in statuses
        for name in names
        for word in (name, spoken(name, "fr"))
    }
    plain = folded(written)
    alike = [word for word in known if word[:1] == plain[:1]]
    if "?" in written and not any("?" in name for _, names in statuses for name in names):
        return None
    near = did_you_mean(plain, alike, _NEAR) or ""
    return known.get(near) and known[near]._replace(misspelt=near != plain)


class Log(NamedTuple):
    """A log as it stood on the day.

    Attributes
    ----------
    decisions : tuple of Known
        Those that count, the first raised first.
    odd : Mapping of str to list of str
        What was left out, mended or doubted, by reason: names of decisions, rows of the history.
    misspelt : Mapping of str to (str, int)
    watched : bool
        Whether anything would tell that a decision was taken back.
    readings : tuple of Reading
    """

    decisions: tuple[Known, ...]
    odd: Mapping[str, list[str]]
    misspelt: Mapping[str, tuple[str, int]]
    watched: bool
    readings: tuple[Reading, ...]


def read_log(
    review: DecisionReview,
    sheet: Sheet[Decision],
    trials: Trials,
    day: datetime.date,
    data: Any = None,
) -> Log:
    """Return the decisions that count, as the log and the history of statuses tell them on a day.

    The first decision is the first change to a status that is decided; a question that was
    withdrawn and asked again is open again. The history says when, and the log where the history
    says nothing. What is dated later than the day has not happened yet. Where the history begins
    later than a question was raised, and the log tells of no earlier decisions, the question counts
    from the history's first day on: what was decided before left no trace.

    Parameters
    ----------
    review : DecisionReview
    sheet : Sheet
        Rows of the log.
    trials : Mapping
        What the run of its experiment tells, by decision.
    day : datetime.date
    data : pandas.DataFrame or another frame, optional
        In the place of the log's file.

    Raises
    ------
    DataError, SpecError
        For an id that stands twice, a status that means nothing, and what `only` names in vain.
    """
    rows = _counted(review, sheet, data)
    history = read_sheet(review, review.history or (), StatusChange, "decision-history")
    changed = [(folded(at.id), row, at) for row, at in history.rows]
    logged, own = ({folded(item.id) for _, item in part} for part in (sheet.rows, rows))
    if changed and logged.isdisjoint(name for name, _, _ in changed):
        raise DataError.of("operations.other_history", file=history.file)
    changes = [change for change in changed if change[0] in own]
    written = Counter([item.status for _, item in rows] + [at.to for _, _, at in changes])
    read = {word: meaning(word or "", review.statuses) for word in written}
    _refuse(rows, read, sheet.file)
    odd = defaultdict[str, list[str]](
        list,
        future=[
            item.decision
            for _, item in rows
            if max(filter(None, (item.raised, item.decided, item.withdrawn, item.reversed))) > day
        ],
        unmatched=[at.id for name, _, at in changed if name not in logged],
        undeclared=[f"{at.to or '…'} ({row})" for _, row, at in changes if not read[at.to]],
    )
    courses, start = _courses(changes, read), _start(history.rows, rows)
    decisions = [
        known._replace(
            entry=max((start - item.raised).days, 0),
            **basis(item, trial_by(trials.get(item.id), known.ended)),
        )
        for row, item in rows
        if item.raised <= day
        for known in [_known(row, item, courses[folded(item.id)], read[item.status], day, odd)]
    ]
    return Log(
        tuple(sorted(decisions, key=lambda known: (known.raised, known.id))),
        odd,
        {
            word: (status.status, written[word])
            for word, status in sorted(read.items(), key=str)
            if word and status and status.misspelt
        },
        "reversed" in sheet.headings or bool(changed),
        tuple(filter(None, (sheet.reading, history.reading))),
    )


def _courses(
    changes: Sequence[tuple[str, int, StatusChange]], read: Mapping[str | None, Meaning | None]
) -> Mapping[str, Sequence[Change]]:
    """Return the changes of each decision in the order of time, of one instant open first."""
    courses = defaultdict[str, list[Change]](list)
    for at, _, kind, name in sorted(
        (at.changed, status.kind != "open", status.kind, name)
        for name, _, at in changes
        if (status := read[at.to])
    ):
        courses[name].append((at.date(), kind))
    return courses


def _refuse(
    rows: Sequence[tuple[int, Decision]],
    read: Mapping[str | None, Meaning | None],
    file: str | None,
) -> None:
    """Refuse ids that stand twice, statuses that mean nothing, and days in the wrong order."""
    ids = Counter(folded(item.id) for _, item in rows)
    DataError.refuse(
        [
            Problem(f"operations.{key}", {"id": item.id, "name": item.status}, file, row=row)
            for row, item in rows
            for key, wrong in (
                ("decision_twice", ids[folded(item.id)] > 1),
                ("unknown_status", item.status and not read[item.status]),
                ("reversed_early", item.reversed and item.reversed < (item.decided or item.raised)),
            )
            if wrong
        ]
    )


def _counted(
    review: DecisionReview, sheet: Sheet[Decision], data: Any
) -> list[tuple[int, Decision]]:
    """Return the rows that the spec lets count: by values of any column, and since when."""
    rows = [
        (row, item)
        for row, item in sheet.rows
        if item.raised >= (review.raised_since or item.raised)
    ]
    if not review.only:
        return rows
    answers = Answers(**review.log.model_dump(exclude={"path"}), profile="decision-log")
    source = review.beside(review.log.path) if data is None else data
    with open_export(source, answers=answers) as table:
        called = {
            folded(name): column
            for column in table.types
            for name in (column, sheet.headings[column])
        }
        refuse_unknown(review, review.only, called, "only")
        for column, values in review.only.items():
            name = quoted(called[folded(column)])
            cells = dict(table.fetch(f"SELECT {ROW} + 1, {name}::VARCHAR FROM {table.relation}"))
            refuse_unknown(review, values, {*filter(None, cells.values())}, "only", column)
            wanted = {*map(folded, values)}
            rows = [(row, item) for row, item in rows if folded(cells[row] or "") in wanted]
    return rows


def _start(
    history: Sequence[tuple[int, StatusChange]], rows: Sequence[tuple[int, Decision]]
) -> datetime.date:
    """Return the day on which the history begins, where the log tells of no earlier decision."""
    start = min((change.changed.date() for _, change in history), default=datetime.date.min)
    ends = [at for _, item in rows for at in (item.decided, item.withdrawn) if at]
    return start if min(ends, default=start) >= start else datetime.date.min


def follow(changes: Sequence[Change]) -> tuple[State, datetime.date | None, datetime.date | None]:
    """Return where changes lead, when it came there, and when what was decided was taken back.

    Examples
    --------
    >>> days = [datetime.date(2026, 3, day) for day in (2, 9, 16)]
    >>> state, ended, back = follow([*zip(days, ("open", "decided", "open"))])
    >>> state, str(ended), str(back)
    ('decided', '2026-03-09', '2026-03-16')
    """
    state: State = "open"
    ended, answer = None, ""
    for at, kind in changes:
        if answer:
            if kind in {"open", "withdrawn", "decided", "against"} - {answer}:
                return state, ended, at
        elif kind != "ignored" and not (state == "withdrawn" and _STATES[kind] == state):
            state = _STATES[kind]
            ended = None if state == "open" else at
            answer = kind if state == "decided" else ""
    return state, ended, None


def _known(
    row: int,
    item: Decision,
    history: Sequence[Change],
    status: Meaning | None,
    day: datetime.date,
    odd: defaultdict[str, list[str]],
) -> Known:
    """Return a decision as it stands on the day, and note what is odd with it."""
    ends = {"decided": item.decided, "withdrawn": item.withdrawn}
    logged = sorted((at, kind) for kind, at in ends.items() if at)
    (_, past, _), (_, own, _) = follow(history), follow(logged)
    changes = history if past or not own else logged
    state, ended, back = follow([change for change in changes if change[0] <= day])
    said = status and status.kind != "ignored" and _STATES[status.kind]
    if item.reversed and item.reversed <= day:  # what was taken back had been decided
        said = "decided"
    if said and not changes:
        state = said
    early = ended is not None and ended < item.raised
    if ended and early:  # an instant in UTC may lie on the day before
        ended = item.raised if ended + _DAY == item.raised else None
    decided, last = state == "decided", day if state == "open" else ended
    due = decided and (item.review or day) <= day
    kinds = [kind for _, kind in changes if kind != "ignored"]
    flags = {
        "disagree": (past and own and abs(past - own) > APART)
        or (said and kinds and not item.reversed and said != _STATES[kinds[-1]]),
        "undated": not (last or early),
        "early": early and not ended,
        "imported": kinds and changes is history and _STATES[kinds[0]] == "decided",
        "premature": item.outcome and not due,
    }
    name = Bilingual.joined(" ", (item.decision, f"({row})"))
    for flag, wrong in flags.items():
        odd[flag] += [name] * bool(wrong)
    taken = [at for at in (back, item.reversed) if decided and at and (ended or at) <= at <= day]
    return Known(
        **{name: value for name, value in item if name in _SAME},
        row=row,
        state=state,
        ended=ended,
        days=float((last - item.raised).days) if last else None,
        reversed=min(taken, default=None),
        outcome=item.outcome == "yes" if due and item.outcome else None,
        late=bool(due and item.review and not item.outcome),
    )
