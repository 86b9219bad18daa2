"""A case from nothing: what is asked, and the case and the inventory that the answers make.

Questions and templates are data, in ``starter``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader

from opslab import documents, specs, workspace
from opslab.businesscase.contradictions import refuse_contradictions
from opslab.businesscase.plan import Plan
from opslab.errors import InputError, Problem, SpecError
from opslab.messages import Language, text
from opslab.specs import Declared
from opslab.tables.durations import minutes_of, share_of

STARTER = Path(__file__).parent / "starter"
_BETWEEN = re.compile(r"(?<=[\w%€$£])\s*(?:\bto\b|\bà\b|[-\u2013\u2014])\s*(?=[\d.,€$£])")
_UNCLEAR = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_DIGITS = "0123456789., "
_SIGNS = re.compile(r"[\s'\u2019€$£]")
_CURRENCIES = {"€": "EUR", "£": "GBP", "$": "D"}  # of dollars there are several
_TEXTS = ("text", "choice")
_MISSING = Problem("businesscase.new_missing")


class Question(NamedTuple):
    """One thing that is asked.

    Attributes
    ----------
    heading, label, example : str
        The question of the ten that it belongs to, what is asked, and for example.
    name, kind : str
        Its name in the templates; ``text``, ``choice``, ``yes``, ``number``, ``part``, or a range:
        ``amount``, ``minutes``, ``share``.
    at : sequence of str
        Fields of the specs that it fills.
    default : str
        Taken where nothing is answered; another answer's name stands in braces.
    needs : str
        The answer without which it is not asked.
    choices, units : Mapping of str to str
        What can be chosen, as the language calls it, and what it is in the specs.
    """

    heading: str
    label: str
    example: str
    name: str
    kind: str
    at: Sequence[str]
    default: str = ""
    optional: bool = False
    needs: str = ""
    choices: Mapping[str, str] = MappingProxyType({})
    units: Mapping[str, str] = MappingProxyType({})

    def is_about(self, field: str) -> bool:
        """Whether a field of a spec is a part or the whole of one that it fills."""
        within = (f"{field}.", f"{field}[")
        parts = [(f"{path}.", f"{path}[") for path in self.at]
        return any(path.startswith(within) for path in self.at) or any(map(field.startswith, parts))


class Answer(NamedTuple):
    """What was answered: a text, or the number of a spreadsheet."""

    given: str | float = ""
    unit: str = ""
    grade: str = ""
    source: str = ""


class Draft(NamedTuple):
    """What answers make: files by path in the workspace, and what is wrong with which answers."""

    files: Mapping[str, str]
    wrong: Sequence[tuple[Sequence[str], Problem]]


class _Range(str):
    """The ends of a range as YAML, which are not quoted."""

    __slots__ = ()


@cache
def questions(language: Language) -> tuple[Question, ...]:
    """Return what is asked, in order."""
    source = (STARTER / f"questions.{language}.toml").read_text("utf-8")
    groups = tomllib.loads(source)["questions"]
    return tuple(
        Question(f"{number}/{len(groups)}  {group['heading']}", **answer)
        for number, group in enumerate(groups, 1)
        for answer in group["answers"]
    )


def paths(title: str) -> dict[str, str]:
    """Return where the files of a case stand in the workspace, by their specs."""
    slug = workspace.slug(title)
    return {"inventory": f"cases/{slug}-inventory.yaml", "case": f"cases/{slug}.yaml"}


def refuse_target(title: str, files: Sequence[str]) -> None:
    """Raise an `InputError` outside of a workspace, and for what is there already."""
    root = workspace.root()
    if not workspace.is_meant():
        raise InputError.of("businesscase.new_workspace", file=str(root))
    if not workspace.slug(title):
        raise InputError.of("specs.slug", field="NAME")
    there = [file for file in files if workspace.is_there(root / file)]
    InputError.refuse([Problem("businesscase.new_there", file=file) for file in there])


def write(files: Mapping[str, bytes]) -> None:
    """Write files into the workspace: all of them, or none where one cannot be."""
    written: list[Path] = []
    try:
        for name, content in files.items():
            path = workspace.root() / name
            path.parent.mkdir(exist_ok=True)
            with path.open("xb") as stream:
                written.append(path)
                stream.write(content)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def draft(
    title: str,
    answers: Mapping[str, Answer],
    models: Mapping[str, type[Declared]],
    language: Language,
) -> Draft:
    """Return the files that answers make, and every mistake in them.

    Parameters
    ----------
    title : str
        Name of the case.
    answers : Mapping of str to Answer
    models : Mapping of str to class
        The specs ``inventory`` and ``case``, which look at what was made.
    language : {"en", "fr"}
        Of the comments.
    """
    known = {question.name: question for question in questions(language)}
    texts = dict.fromkeys(("today", *known), "")
    texts |= {name: str(answer.given) for name, answer in answers.items()}
    given = {
        name: answers[name] if texts[name] else Answer(question.default.format_map(texts))
        for name, question in known.items()
    }
    unsaid = text("businesscase.new_source", language)
    values = {name: _value(question, given[name].given) for name, question in known.items()}
    values |= {
        "given": {name for name in known if given[name].given != ""},
        "grade": {name: answer.grade or "F" for name, answer in given.items()},
        "source": {name: answer.source or unsaid for name, answer in given.items()},
        "unit": {
            name: question.units.get(given[name].unit, given[name].unit) or "year"
            for name, question in known.items()
        },
    }
    wrong: dict[tuple[str, ...], tuple[Sequence[str], Problem]] = {
        (name, doubt.key): ((name,), doubt)
        for name, question in known.items()
        if (doubt := _doubt(question, given[name].given, texts["currency"]))
    }
    files: dict[str, str] = {}
    for spec, path in paths(title).items():
        own = {"title": title, "slug": _Range(workspace.slug(title)), "file": _Range(path)}
        files[path] = _engine().get_template(f"{spec}.{language}.yaml").render(values | own)
        for problem in _problems(models[spec], files[path]):
            field = problem.field or "?"
            names = [name for name, question in known.items() if field in question.at]
            names = names or [name for name in known if known[name].is_about(field)]
            said = [name for name in names if given[name].given in problem.values.values()]
            names = said or [name for name in names if known[name].kind not in _TEXTS] or names
            absent = [name for name in names if given[name].given == ""]
            kinds = {known[name].kind for name in names}
            unread = kinds == {"minutes"} and problem.key == "specs.not_number"
            key = "timesaved.cell_minutes" if unread else problem.key
            shown = _MISSING if absent else Problem(key, problem.values, field=problem.field)
            wrong.setdefault((*(absent or names), shown.key), (absent or names, shown))
    order = [*known]
    return Draft(
        files, sorted(wrong.values(), key=lambda item: min(map(order.index, item[0]), default=-1))
    )


@cache
def _engine() -> Environment:
    return Environment(
        loader=FileSystemLoader(STARTER),
        line_statement_prefix="%%",
        keep_trailing_newline=True,
        finalize=_quoted,
        autoescape=False,  # noqa: S701 - no HTML: what is given becomes quoted YAML
    )


def _quoted(value: object) -> str:
    """Return a value as YAML on one line, so that nothing in a text is YAML."""
    if isinstance(value, _Range):
        return value
    if not isinstance(value, str):
        return "null" if value is None else f"{value:.15g}"
    whole = " ".join(value.split()).encode("utf-8", "replace").decode()
    return yaml.safe_dump(whole, default_style='"', allow_unicode=True, width=1e9).strip()


def _problems(model: type[Declared], content: str) -> Sequence[Problem]:
    """Return what a spec refuses of a text."""
    try:
        spec = specs.validate(model, documents.parse(content, ""))
        if isinstance(spec, Plan):
            refuse_contradictions(spec)
    except SpecError as error:
        return error.problems
    return ()


def _doubt(question: Question, given: str | float, currency: str) -> Problem | None:
    """Return what is wrong with 38.000, with the sign of another currency, with no choice."""
    said = str(given)
    known = {*question.choices, *question.choices.values()}
    if question.kind in ("choice", "yes") and said not in known:
        values = {"given": said, "choices": [*question.choices]}
        return Problem("specs.choice", values) if said else _MISSING
    ends = _BETWEEN.split(said) if question.kind in ("number", "amount") else ()
    if said is given and any(_UNCLEAR.fullmatch(_SIGNS.sub("", end)) for end in ends):
        return Problem("businesscase.new_unclear", {"given": said})
    others = [sign for sign, code in _CURRENCIES.items() if not (currency or code).endswith(code)]
    if question.kind in ("number", "amount") and any(sign in said for sign in others):
        return Problem("businesscase.new_currency", {"given": said, "currency": currency})
    return None


def _value(question: Question, given: str | float) -> object:
    """Return an answer as the templates take it."""
    if question.kind == "yes":
        return question.choices.get(str(given), given) == "yes"
    if read := _RANGES.get(question.kind):
        parts: list[Any] = _BETWEEN.split(given, 1) if isinstance(given, str) else [given]
        if question.kind != "amount" and len(parts) > 1 and not parts[0].strip(_DIGITS):
            unit = parts[1].lstrip(_DIGITS)  # 1-2 h: the unit of the second is meant for both
            parts[0] += "?" if any(map(str.isdigit, unit)) else unit
        names = ("low", "high") if len(parts) > 1 else ("likely",)
        ends = (_quoted(read(part) if part != "" else None) for part in parts)
        return _Range(", ".join(map("{}: {}".format, names, ends)))
    if given == "":
        return None
    if question.kind in _TEXTS:
        return question.choices.get(str(given), str(given))
    return share_of(given) if question.kind == "part" else _number(given)


def _number(given: object) -> object:
    """Return a number as people write it; what was given where it is none."""
    bare = _SIGNS.sub("", str(given)).lower()
    try:
        return float(bare.rstrip("k").replace(",", ".")) * (1000 if bare.endswith("k") else 1)
    except ValueError:
        return given


def _minutes(given: object) -> object:
    read = minutes_of(given)
    return _number(given) if read == given else read


_RANGES: Mapping[str, Callable[[object], object]] = {
    "amount": _number,
    "minutes": _minutes,
    "share": share_of,
}
