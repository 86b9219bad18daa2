"""Column profiles: which tool's export a file is, and what its columns are called and hold.

A profile is a YAML file, one a tool: those of the package, and the user's own in the workspace's
folder ``profiles``, which come before the package's of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple, Self

import yaml
from pydantic import Field, model_validator

from opslab import documents, specs, workspace
from opslab.errors import DataError, ParameterError, did_you_mean
from opslab.specs import Declared, Text, fault
from opslab.tables.import_report import Answers, FileAnswers
from opslab.tables.numbers import plain_text

Kind = Literal[
    "text",
    "number",
    "percent",
    "count",
    "share",
    "minutes",
    "minutes_or_share",
    "date",
    "datetime",
    "duration",
    "boolean",
    "list",
    "work_log",
]
TEXTS = ("title", "summary", "text", "description", "body", "comment")
"""Standard names of columns that make one message, in their order."""
_KINDS: Mapping[str, Kind] = {"created_at": "datetime", "score": "number"}
_SHOWN = 12  # headings that a message lists
flow: partial[str] = partial(
    yaml.safe_dump, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
)
"""Return values as YAML on one line."""


class Column(Declared):
    """One column: the headings it is known by, and what it holds."""

    headers: tuple[str, ...] = Field(min_length=1)
    """Headings of the tool; * stands for any text."""
    kind: Kind = "text"
    """What its cells hold."""
    time: tuple[str, ...] = ()
    """Headings of the clock time that belongs to the date."""
    unit: Literal["hours", "minutes", "seconds"] = "hours"
    """What a bare number counts."""
    split: str | None = Field(None, min_length=1)
    """What parts the items of a list in one cell."""
    required: bool = False
    """A row without it is left out, and told."""
    personal: Literal["email", "name", "id", "text"] | None = None
    """Personal data in it."""
    leave_out: tuple[str, ...] = ()
    """Cells whose rows are left out, and told; * stands for any text."""
    words: dict[str, tuple[str, ...]] = Field({})
    """What a sheet's cells may say: the standard word, and how people write it."""
    unlike: tuple[str, ...] = ()
    """Headings of a sheet that mean it in another unit, and are refused."""
    or_text: str | None = None
    """A pattern: cells of a sheet that fit it are kept as they are written, whatever the kind."""


class Profile(Declared):
    """What a tool's export looks like."""

    profile: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Name, as the file is called."""
    tool: Text
    """The tool as people call it."""
    table: str = Field(min_length=1)
    """What a row is: tickets, history, time_entries, feedback …"""
    recognised_by: tuple[str, ...] = ()
    """Columns that must all be there."""
    row_caps: tuple[int, ...] = ()
    """Counts of rows at which exports are known to stop."""
    wrappers: tuple[str, ...] = ()
    """Headings that hold a column's own heading at *."""
    day_first_if: tuple[str, ...] = ()
    """Headings with which unclear dates are day first."""
    answers: FileAnswers = FileAnswers()
    """Answers that its files need, where the profile is named."""
    columns: dict[str, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_its_columns(self) -> Self:
        unknown = sorted(set(self.recognised_by) - set(self.columns))
        if unknown:
            raise fault("tables.profile_unknown", names=", ".join(unknown))
        return self


class Match(NamedTuple):
    """How a profile fits a header.

    Attributes
    ----------
    profile : Profile
    positions : Mapping of str to two sequences of int
        Of each column that is there: where its headings stand in the header, and its clock time.
    day_first : bool
        Whether the tool writes the day first under such headings.
    """

    profile: Profile
    positions: Mapping[str, tuple[Sequence[int], Sequence[int]]]
    day_first: bool = False

    @property
    def absent(self) -> list[str]:
        """Columns by which the profile is recognised and that are not there."""
        return [name for name in self.profile.recognised_by if name not in self.positions]

    @property
    def taken(self) -> set[int]:
        """Positions in the header that the profile explains."""
        return {*chain(*chain(*self.positions.values()))}


NO_PROFILE = Match(Profile.model_construct(profile="none", tool="", table="none", columns={}), {})


@lru_cache(20_000)  # each profile asks for all of them
def bare_heading(heading: str) -> str:
    """Return a heading without what tools and people vary: accents, case, spaces, apostrophes.

    Examples
    --------
    >>> bare_heading(" Clé  de ticket")
    'cle de ticket'
    """
    return " ".join(plain_text(heading).replace("\u2019", "'").split())


@cache
def load_profile(path: Path, shown: str, _written: int = 0) -> Profile:
    """Read a profile; raises `SpecError` with every mistake in it."""
    return specs.validate(Profile, documents.read(path, shown))


def known_profiles() -> dict[str, Profile]:
    """Return every profile by name: the workspace's own before the package's."""
    profiles = {}
    brought = sorted((Path(__file__).parent / "profiles").glob("*.yaml"))
    for path in (*brought, *workspace.profiles()):
        profile = load_profile(path, workspace.shown(path), path.stat().st_mtime_ns)
        profiles[profile.profile] = profile
    return profiles


def profile_for(headings: Sequence[str], name: str | None, shown: str) -> Match:
    """Return the profile that fits a header, the one named, or `NO_PROFILE`.

    Parameters
    ----------
    headings : sequence of str
    name : str or None
        The profile to take; by default the one that is recognised, and ``none`` for none at all.
    shown : str
        The file, for messages.

    Raises
    ------
    DataError
        When two fit equally well.
    ParameterError
        When there is none of that name.
    """
    if name == "none":
        return NO_PROFILE
    known = known_profiles()
    if name is not None:
        if name not in known:
            raise ParameterError.of(
                "tables.no_profile",
                field="profile",
                name=name,
                near=did_you_mean(name, known),
                names=sorted(known),
            )
        return _match(known[name], headings)
    matches = (_match(profile, headings) for profile in known.values() if profile.recognised_by)
    fitting = [NO_PROFILE, *(match for match in matches if not match.absent)]
    most = max(len(match.taken) for match in fitting)
    best = [match for match in fitting if len(match.taken) == most]
    if len(best) > 1:
        names = sorted(match.profile.profile for match in best)
        raise DataError.of("tables.ask_profile", file=shown, names=names)
    return best[0]


def unwrapped(heading: str, wrappers: Sequence[str]) -> str:
    """Return a heading without the wrapper that a tool puts around those of its users."""
    bare, plain = bare_heading(heading), " ".join(heading.split())
    for wrapper in wrappers:
        match = _pattern(wrapper).fullmatch(bare)
        if match and match[1].strip():
            return plain[match.start(1) : len(plain) - len(bare) + match.end(1)].strip()
    return plain


def _match(profile: Profile, headings: Sequence[str]) -> Match:
    bare = list(map(bare_heading, headings))
    inner = [  # without wrapper, and of two rows of headings the first
        bare_heading(unwrapped(heading, profile.wrappers).partition(" / ")[0])
        for heading in headings
    ]
    positions = {}
    for name, column in profile.columns.items():
        own = fits(column.headers, bare) or fits(column.headers, inner)
        if column.kind not in ("list", "work_log", "text"):
            own = own[:1]
        clocks = [position for position in fits(column.time, bare) if position not in own]
        if own:
            positions[name] = own, clocks[:1]
    return Match(profile, positions, bool(fits(profile.day_first_if, bare)))


def with_answers(match: Match, answers: Answers, headings: Sequence[str], shown: str) -> Match:
    """Return a match in which the headings that the analyst names have the standard names alone.

    Raises
    ------
    DataError
        Where one of them is not there, or the profile does not fit.
    """
    columns = _named_columns(match.profile, answers, shown)
    changes = {
        "columns": match.profile.columns | columns,
        "recognised_by": (*columns, *match.profile.recognised_by),
    }
    profile = match.profile.model_copy(update=changes)
    match = _match(profile, headings)
    absent = [profile.columns[name].headers[0] for name in match.absent]
    if absent and not columns.keys() & match.absent:
        raise DataError.of(
            "tables.profile_misfit",
            file=shown,
            profile=profile.profile,
            columns=absent,
            near=profile_for(headings, None, shown).profile.tool,
        )
    for heading in absent:
        raise DataError.of(
            "tables.no_heading",
            file=shown,
            field=heading,
            near=did_you_mean(heading, headings),
            names=list(headings[:_SHOWN]),
        )
    taken = set(chain(*(match.positions[name][0] for name in columns)))
    kept = {
        name: (own, clock)
        for name, (own, clock) in match.positions.items()
        if name in columns or taken.isdisjoint(own)
    }
    return match._replace(positions=kept)


def _named_columns(profile: Profile, answers: Answers, shown: str) -> dict[str, Column]:
    """Return the columns whose headings the analyst names; `DataError` for a name there is not."""
    score = answers.score
    named = {
        **dict(zip(TEXTS[2:], answers.text, strict=False)),
        "id": answers.id,
        "created_at": answers.date,
        "customer_id": answers.customer,
        "score": score and score.column,
    }
    columns = {
        name: Column(
            headers=(heading,),
            kind=_KINDS.get(name, "text"),
            personal="id" if name == "customer_id" else None,
        )
        for name, heading in named.items()
        if heading
    }
    known = profile.columns
    for name, heading in answers.columns.items():
        if name not in known:
            near = did_you_mean(name, known)
            raise DataError.of("specs.unknown", file=shown, field="columns", name=name, near=near)
        columns[name] = known[name].model_copy(update={"headers": (heading,)})
    return columns


def fits(headers: Sequence[str], bare: Sequence[str]) -> list[int]:
    """Return the positions of the first of some headings that is there."""
    for header in headers:
        matches = _pattern(header).fullmatch
        if positions := [position for position, heading in enumerate(bare) if matches(heading)]:
            return positions
    return []


@cache
def _pattern(header: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(re.escape(bare_heading(part)) for part in header.split("*")))


def yaml_text(profile: Profile) -> str:
    """Return a profile as YAML: a line a column."""
    top = profile.model_dump(mode="json", exclude_defaults=True)
    columns = top.pop("columns").items()
    lines = [f"  {name}: {flow(column)}" for name, column in columns]
    return f"{flow(top, default_flow_style=None)}columns:\n{''.join(lines)}"
