"""How far people agree on what comes first, from what each of them answered; nobody is shown."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from opslab.errors import DataError, Problem, SpecError, did_you_mean
from opslab.messages import Bilingual
from opslab.names import folded, named, usual
from opslab.operations.decisions.overlap import jaccard, rank_biased_overlap
from opslab.operations.decisions.spec import Answer, DecisionReview, Survey
from opslab.tables.import_report import Reading
from opslab.tables.sheets import read_sheet
from opslab.uncertainty.proportions import Interval, newcombe, wilson

FEWEST = 5
"""People below which no group is told apart, and no survey told at all."""
SURE = 10
"""People from which is told how sure an overlap is: of fewer its interval is too narrow."""
NEAR = 0.85
"""Likeness from which two names may be one, misspelt."""
RESAMPLES = 2_000


class Priority(NamedTuple):
    """A priority, by how many people name it among their three, and as the first."""

    priority: str
    people: int
    first: int
    functions: int


class FunctionAnswers(NamedTuple):
    """The answers of a function; None where fewer than five people answered.

    Attributes
    ----------
    within : Interval
        Mean rank-biased overlap of pairs inside it.
    across : Interval
        Mean with people of other functions.
    named : int or None
        Who named the goal.
    top : tuple of str
        Priorities that most of them name.
    """

    function: str
    people: int
    within: Interval
    across: Interval
    named: int | None
    top: tuple[str, ...]


class Alignment(NamedTuple):
    """How far people agree on what comes first.

    Attributes
    ----------
    jaccard, overlap : Interval
        Mean over pairs of people: shared names of the three, and rank-biased overlap (p = .9);
        bootstrap over people. No interval below ten people; below five people nothing is told.
    named : Interval
        Share of those asked who name the goal; who leaves it empty does not.
    unsaid : int
        People who name no priority.
    priorities : tuple of Priority
        Those that two people or more name.
    small : int
        People in functions that are not told apart.
    others : int
        People who name a priority that nobody else names; it is not shown.
    twice : int
        People who name the same priority twice; it counts once.
    near : tuple of str
        Priorities that may be meant and are written else, with the rows in which they are.
    change_overlap, change_named : Interval
        Since the first survey.
    """

    date: datetime.date
    people: int
    invited: int | None
    jaccard: Interval
    overlap: Interval
    named: Interval
    named_count: int
    asked_goal: int
    unsaid: int
    priorities: tuple[Priority, ...]
    functions: tuple[FunctionAnswers, ...]
    small: int
    others: int = 0
    twice: int = 0
    near: tuple[str, ...] = ()
    first_date: datetime.date | None = None
    first_overlap: Interval = Interval(None)
    first_named: Interval = Interval(None)
    change_overlap: Interval = Interval(None)
    change_named: Interval = Interval(None)


class Person(NamedTuple):
    """What a person answered: function and priorities folded, whether the goal is named."""

    row: int
    function: str
    names: tuple[str, ...]
    goal: bool | None
    twice: bool


class Answers(NamedTuple):
    """The answers of a survey in an order that is not the sheet's; names as they are shown."""

    survey: Survey
    people: Sequence[Person]
    priorities: Mapping[str, str]
    functions: Mapping[str, str]
    reading: Reading | None


def align(
    review: DecisionReview, day: datetime.date, seed: int = 1
) -> tuple[Alignment | None, tuple[Reading, ...]]:
    """Return how far people agree in the last survey, beside the first, and how both were read.

    Nothing tells who answered both: the two count as surveys of different people.

    Parameters
    ----------
    review : DecisionReview
    day : datetime.date
        Surveys after it are left out.
    seed : int
        Of the resampling.

    Returns
    -------
    Alignment or None
        None without a survey; of fewer than five people it tells how many answered, and no more.
    tuple of Reading

    Raises
    ------
    DataError, SpecError
        For a person who answers twice, more answers than people asked, or a name of two priorities.
    """
    held = [at for at, survey in enumerate(review.surveys) if survey.date <= day]
    waves = [_answers(review, at) for at in dict.fromkeys([*held[:1], *held[-1:]])]
    alignments = [_alignment(answers, seed) for answers in waves]
    if not alignments:
        return None, ()
    first, last = alignments[0], alignments[-1]
    if first is not last:
        last = last._replace(
            first_date=first.date,
            first_overlap=first.overlap,
            first_named=first.named,
            change_overlap=newcombe(first.overlap, last.overlap),
            change_named=newcombe(first.named, last.named),
        )
    return last, tuple(answers.reading for answers in waves if answers.reading)


def mean_overlap(pairs: Any, left: Any, right: Any, seed: int) -> Interval:
    """Return the mean overlap of people with others, and its interval by resampling people.

    Someone who is drawn twice is not compared with himself. Of fewer than five people there is no
    number, of fewer than ten no interval.

    Parameters
    ----------
    pairs : array of shape (people, people)
        Overlap of each two, 0 of each with himself.
    left, right : sequence of int
        Whom to compare with whom: the same people, or others.
    seed : int

    Sources
    -------
    Mean over pairs: a U statistic, Hoeffding (1948); how often its interval holds the truth stands
    in docs/validation.md.
    """
    same, block = list(left) == list(right), pairs[np.ix_(left, right)]
    fewest = min(block.shape)
    if fewest < FEWEST:
        return Interval(None)
    value = float(block.sum() / (block.size - same * fewest))
    if fewest < SURE:
        return Interval(value)
    random = np.random.default_rng(seed)
    times, others = (
        random.multinomial(size, np.full(size, 1 / size), RESAMPLES) for size in block.shape
    )
    others = times if same else others
    compared = block.size - same * (times**2).sum(axis=1)
    low, high = np.quantile(((times @ block) * others).sum(axis=1) / compared, (0.025, 0.975))
    return Interval(value) if np.isclose(low, high) else Interval(value, float(low), float(high))


def _answers(review: DecisionReview, at: int) -> Answers:
    """Read a survey: names as they are folded, synonyms as one, each person once."""
    survey, same = review.surveys[at], _synonyms(review)
    sheet = read_sheet(review, survey, Answer, "alignment-survey", french=review.french)
    problems, people = list[Problem](), dict[str, Person]()
    goals, texts = [*map(folded, survey.goal)], list[str]()
    asked = bool(goals) and any(item.goal for _, item in sheet.rows)
    for row, item in sheet.rows:
        said = (item.priority_1, item.priority_2, item.priority_3)
        names = [same.get(folded(text), text) for text in said if text and named(text)]
        texts += names
        keys, goal = [*map(folded, names)], f" {folded(item.goal or '')} "
        person = Person(
            row,
            folded(item.function),
            tuple(dict.fromkeys(keys)),
            any(f" {way} " in goal for way in goals) if asked else None,
            len({*keys}) < len(keys),
        )
        first = people.setdefault(" ".join(item.person.casefold().split()), person).row
        if first != row:
            problems.append(
                Problem("operations.person_twice", {"first": first}, sheet.file, row=row)
            )
    DataError.refuse(problems)
    if survey.invited and survey.invited < len(people):
        values = {"invited": survey.invited, "people": len(people)}
        raise SpecError(review.problem("operations.invited", "surveys", at, "invited", **values))
    functions = usual(item.function for _, item in sheet.rows)
    known = [people[who] for who in sorted(people)]
    return Answers(survey, known, usual(texts), functions, sheet.reading)


def _synonyms(review: DecisionReview) -> dict[str, str]:
    """Return the name that is shown, by every other name of a priority."""
    known: dict[str, str] = {}
    for name, others in review.same.items():
        shown = Bilingual(name, french=review.french.get(name, name))
        for other in (name, *others):
            if known.setdefault(folded(other), shown) != name:
                raise SpecError(review.problem("operations.same_twice", "same", name, name=other))
    return known


def _alignment(answers: Answers, seed: int) -> Alignment:
    """Return how far the people of a survey agree; of fewer than five, how many answered."""
    count = len(answers.people)
    people = answers.people if count >= FEWEST else ()
    voices = [person for person in people if person.names]
    everyone = range(len(voices))
    ranked = _pairs(voices, rank_biased_overlap)
    aware = [person.goal for person in people if person.goal is not None]
    named_by = Counter(name for person in voices for name in person.names)
    shared = [name for name in _ordered(named_by) if named_by[name] > 1]
    functions, small = _apart(answers.people)
    return Alignment(
        date=answers.survey.date,
        people=count,
        invited=answers.survey.invited,
        jaccard=mean_overlap(_pairs(voices, jaccard), everyone, everyone, seed),
        overlap=mean_overlap(ranked, everyone, everyone, seed),
        named=wilson(sum(aware), len(aware)),
        named_count=sum(aware),
        asked_goal=len(aware),
        unsaid=len(people) - len(voices),
        priorities=tuple(
            Priority(
                answers.priorities[name],
                named_by[name],
                sum(person.names[0] == name for person in voices),
                len({person.function for person in voices if name in person.names}),
            )
            for name in shared
        ),
        functions=tuple(
            _function(function, answers, voices, ranked, seed) for function in functions
        ),
        small=small,
        others=sum(any(named_by[name] == 1 for name in person.names) for person in voices),
        twice=sum(person.twice for person in people),
        near=tuple(
            Bilingual.joined(" ", (answers.priorities[name], f"({', '.join(map(str, rows))})"))
            for name in shared
            if (rows := _near(name, voices, named_by))
        ),
    )


def _pairs(voices: Sequence[Person], overlap: Callable[[Any, Any], float]) -> Any:
    """Return the overlap of each two people, 0 of each with himself."""
    lists = sorted({person.names for person in voices})
    known = np.eye(len(lists))
    for (first, a), (second, b) in combinations(enumerate(lists), 2):
        known[first, second] = known[second, first] = overlap(a, b)
    places = {names: at for at, names in enumerate(lists)}
    at = [places[person.names] for person in voices]
    pairs = known[np.ix_(at, at)]
    np.fill_diagonal(pairs, 0)
    return pairs


def _apart(people: Iterable[Person]) -> tuple[list[str], int]:
    """Return the functions that can be told apart, and how many people are in the others.

    What is left of everybody must not tell of a few: where the small functions together have fewer
    than five people, the next larger one is not told apart either.
    """
    sizes = Counter(person.function for person in people)
    order = sorted(sizes, key=lambda name: (sizes[name], name))
    hidden = 0
    while order and (sizes[order[0]] < FEWEST or 0 < hidden < FEWEST):
        hidden += sizes[order.pop(0)]
    return [name for name in _ordered(sizes) if name in order], hidden


def _ordered(counts: Counter[str]) -> list[str]:
    """Return names, the most frequent first."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def _function(
    function: str, answers: Answers, voices: Sequence[Person], ranked: Any, seed: int
) -> FunctionAnswers:
    """Return what the people of a function say, and how far they agree with each other."""
    people = [person for person in answers.people if person.function == function]
    own = [at for at, person in enumerate(voices) if person.function == function]
    other = [at for at, person in enumerate(voices) if person.function != function]
    aware = [person.goal for person in people if person.goal is not None]
    counts = Counter(name for at in own for name in voices[at].names)
    return FunctionAnswers(
        answers.functions[function],
        len(people),
        mean_overlap(ranked, own, own, seed),
        mean_overlap(ranked, own, other, seed),
        sum(aware) if aware else None,
        tuple(
            answers.priorities[name] for name in _ordered(counts) if counts[name] * 2 > len(people)
        ),
    )


def _near(name: str, voices: Sequence[Person], named_by: Counter[str]) -> list[int]:
    """Return the rows in which a rarer name stands that may be this one, misspelt."""
    rarer = [other for other in named_by if named_by[other] < named_by[name]]
    like = {other for other in rarer if did_you_mean(other, [name], NEAR)}
    return sorted(person.row for person in voices if like.intersection(person.names))
