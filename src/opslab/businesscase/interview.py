"""A case from nothing: what is asked, and the case and the inventory that the answers make.

Questions and templates are data, in ``starter``.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader

from opslab import documents, specs, workspace
from opslab.businesscase.contradictions import refuse_contradictions
from opslab.businesscase.plan import Plan
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem, SpecError
from opslab.messages import Language
from opslab.specs import Declared
from opslab.tables.durations import minutes_of, share_of
from opslab.tables.numbers import clear_number, plain_text
from opslab.timesaved.inventory import Inventory

STARTER = Path(__file__).parent / "starter"
_MODELS: Mapping[str, type[Declared]] = {"inventory": Inventory, "case": Case}
_BETWEEN = re.compile(r"(?<=[\w%])\s*(?:\b(?:to|a)\b|[-\u2013\u2014])\s*(?=[\d.,])")
_NUMBER = re.compile(r"(-?(?:\d{1,3}(?:[ '\u2019]\d{3})+|\d*)(?:[.,]\d+)?) ?(k?)")
_DIGITS = "-0123456789.,'\u2019 "
_CURRENCIES = {"€": "EUR", "£": "GBP", "$": "D"}  # of dollars there are several
_MOST_APART = 1000  # times: the ends of a range; beyond, "38 to 46 000" is meant otherwise
_LONGEST_TITLE = 120

Answers = Mapping[str, str | float]
"""What was answered, a text or a spreadsheet's number, by the names of questions.

A sheet gives grades and sources too, as ``running_grade`` and ``running_source``.
"""


class Question(NamedTuple):
    """What is asked for one answer.

    Attributes
    ----------
    heading, label, example : str
        The question of the ten that it belongs to, what is asked, and for example.
    name, kind : str
        Its name in the templates; ``text``, ``choice``, ``number``, ``part``, or a range:
        ``amount``, ``minutes``, ``share``.
    default : str
        Taken where nothing is answered; another answer's name stands in braces.
    needs : str
        The answer without which it is not asked.
    choices : Mapping of str to str
        What can be chosen, as the language calls it, and what it is in the specs.
    """

    heading: str
    label: str
    example: str
    name: str
    kind: str
    default: str = ""
    optional: bool = False
    needs: str = ""
    choices: Mapping[str, str] = MappingProxyType({})


class Draft(NamedTuple):
    """What answers make: files by path in the workspace, and what is wrong with which answers."""

    files: Mapping[str, str]
    wrong: Sequence[tuple[Sequence[str], Problem]]


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
    """Raise an `InputError` outside of a workspace, for what is there already, and for a name."""
    root = workspace.root()
    if not workspace.is_meant():
        raise InputError.of("businesscase.new_workspace", file=str(root))
    if not workspace.slug(title):
        raise InputError.of("specs.slug", field="NAME")
    if len(title) > _LONGEST_TITLE:
        raise InputError.of("specs.text_length", field="NAME", given=title)
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


def draft(title: str, answers: Answers, language: Language) -> Draft:
    """Return the files that answers make, and what is wrong with which answers, in their order.

    Parameters
    ----------
    title : str
        Name of the case.
    answers : Answers
    language : {"en", "fr"}
        Of the questions and of the comments.
    """
    asked, texts = questions(language), defaultdict(str, answers)
    values: dict[str, Any] = {**answers}
    wrong: dict[str, tuple[Sequence[str], Problem]] = {}
    for question in asked:
        name = question.name
        given = texts[name] if texts[name] != "" else question.default.format_map(texts)
        texts[name] = given
        try:
            values[name] = _value(question, given, values)
        except InputError as error:
            values[name] = None
            wrong[name] = [name], error.problems[0]
    files: dict[str, str] = {}
    marks = {name: _marked(name, value) for name, value in values.items()}
    for spec, path in paths(title).items():
        template = _engine().get_template(f"{spec}.{language}.yaml")
        own = {"title": title, "slug": workspace.slug(title), "file": path}
        files[path] = template.render(values | own)
        lines = template.render(marks | own | {"title": "", "marking": True}).splitlines()
        for line, problem in _problems(_MODELS[spec], files[path]):
            names = re.findall(r"<(\w+)>", lines[line - 1])
            names.sort(key=lambda name: texts[name] != str(problem.values.get("given")))
            if wrong.keys().isdisjoint(names):
                wrong[next(iter(names), "")] = names, problem
    order = [*wrong.keys() - {question.name for question in asked}]
    order += [question.name for question in asked]
    return Draft(files, [wrong[name] for name in order if name in wrong])


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
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_quoted(end)}" for name, end in value.items())
    if not isinstance(value, str):
        return "null" if value is None else f"{value:.15g}"
    whole = " ".join(value.split()).encode("utf-8", "replace").decode()
    return yaml.safe_dump(whole, default_style='"', allow_unicode=True, width=1e9).strip()


def _marked(name: str, value: object) -> object:
    """Return what shows in a template that an answer stands there."""
    if isinstance(value, dict):
        return dict.fromkeys(value, f"<{name}>")
    return value if value in (None, "") else f"<{name}>"


def _problems(model: type[Declared], content: str) -> Iterator[tuple[int, Problem]]:
    """Give what a spec refuses of a text, with the line."""
    document = documents.parse(content, "")
    lines = {documents.field_name(location): line for location, line in document.lines.items()}
    try:
        spec = specs.validate(model, document)
        if isinstance(spec, Plan):
            refuse_contradictions(spec)
    except SpecError as error:
        for problem in error.problems:
            field = problem.field or ""
            yield lines.get(field) or lines[field.rpartition(".")[0]], problem


def _value(question: Question, given: Any, values: Mapping[str, Any]) -> object:
    """Return an answer as the templates take it; raises `InputError` for what it cannot mean."""
    if question.needs and values[question.needs] is None:
        return None
    if given == "":
        if question.optional:
            return None
        raise InputError.of("businesscase.new_missing")
    if question.kind in ("text", "choice"):
        value = question.choices.get(given, str(given))
        if question.kind == "choice" and value not in question.choices.values():
            raise InputError.of("specs.choice", given=given, choices=[*question.choices])
        return value
    currency = values["currency"] or ""
    for sign, code in _CURRENCIES.items():
        if sign in str(given) and not currency.endswith(code):
            raise InputError.of("businesscase.new_currency", given=given, currency=currency)
    ends = [_number(question.kind, end, given) for end in _ends(question.kind, given)]
    if question.kind == "part" and not 0 < ends[0] <= 1:
        raise InputError.of("businesscase.new_part", given=given)
    if question.kind in ("number", "part"):
        return ends[0]
    if ends[-1] >= _MOST_APART * ends[0] > 0:
        raise InputError.of("businesscase.new_unclear", given=given)
    return dict(zip(("low", "high"), ends, strict=True)) if len(ends) > 1 else {"likely": ends[0]}


def _ends(kind: str, given: Any) -> list[Any]:
    """Return the ends of a range, or a single number; a unit that stands once is of both."""
    if not isinstance(given, str):
        return [given]
    plain = plain_text(re.sub("[€£$]", "", given))
    ends = [plain] if kind in ("number", "part") else _BETWEEN.split(plain, 1)
    units = [end.lstrip(_DIGITS) for end in ends]
    if "" in units and any(units):
        if units[0] or re.search(r"\d", units[1]):  # 20 min to 45, 1-2h30
            raise InputError.of("businesscase.new_unclear", given=given)
        ends[0] += units[1]
    return ends


def _number(kind: str, written: Any, given: object) -> float:
    """Return a number as people write it, with the unit of its kind."""
    if not isinstance(written, str):
        return float(written)
    match = _NUMBER.fullmatch(written.strip())
    if match and match[1]:
        if clear_number(match[1]) != match[1]:
            raise InputError.of("businesscase.new_unclear", given=given)
        digits = re.sub("[ '\u2019]", "", match[1]).replace(",", ".")
        return float(digits) * (1000 if match[2] else 1)
    read = {"minutes": minutes_of, "share": share_of, "part": share_of}.get(kind)
    value = read(written) if read else written
    if isinstance(value, float):
        return value
    raise InputError.of(f"businesscase.new_{kind}", given=given)
