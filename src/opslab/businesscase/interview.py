"""A case from nothing: what is asked, and the case and the inventory that the answers make.

Questions and templates are data, in ``starter``.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import yaml
from babel.numbers import get_currency_symbol
from jinja2 import Environment, FileSystemLoader

from opslab import documents, workspace
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem, SpecError
from opslab.messages import Language
from opslab.specs import FromFile
from opslab.tables.numbers import clear_number, plain_text
from opslab.timesaved.inventory import Inventory

STARTER = Path(__file__).parent / "starter"
_MODELS: Sequence[type[FromFile]] = (Inventory, Case)
_BETWEEN = re.compile(r"(?<=[\w%])\s*(?:\b(?:to|a)\b|[-\u2013\u2014])\s*(?=[\d.,])")
_NUMBER = re.compile(r"(-?(?:\d+(?:[ '\u2019]\d{3})*(?:[.,]\d+)?|[.,]\d+)) ?(k?)")
_PLAIN = str.maketrans(",", ".", " '\u2019")
_MARK = r'%"(\w+)"%'
"""Stands behind an answer in a filled template; no text holds it, as quotes in it are escaped."""
_LONGEST_TITLE = 120


class Question(NamedTuple):
    """What is asked for one answer.

    Attributes
    ----------
    heading, label, example : str
        The question of the ten that it belongs to, what is asked, and for example.
    name, kind : str
        Its name in the templates; ``text``, ``number`` or ``range``.
    default : str
        Taken where nothing is answered; another answer's name stands in braces.
    needs : str
        The answer without which it is not needed; its own name where it may be empty.
    choices : Mapping of str to str
        What can be chosen, as the language calls it, and what it is in the specs.
    """

    heading: str
    label: str
    example: str
    name: str
    kind: str
    default: str = ""
    needs: str = ""
    choices: Mapping[str, str] = {}


class Draft(NamedTuple):
    """What answers make: files by path in the workspace, and what is wrong.

    A problem stands by the answers that it is about; the first of them is the likeliest.
    """

    files: dict[str, bytes]
    wrong: Mapping[tuple[str, ...], Problem]


def questions(language: Language) -> tuple[Question, ...]:
    """Return what is asked, in order."""
    source = (STARTER / f"questions.{language}.toml").read_text("utf-8")
    return tuple(
        Question(heading, **answer)
        for heading, answers in tomllib.loads(source).items()
        for answer in answers
    )


def paths(title: str) -> Sequence[str]:
    """Return where the inventory, the case and the questions stand in the workspace."""
    slug = workspace.slug(title)
    return f"cases/{slug}-inventory.yaml", f"cases/{slug}.yaml", f"cases/{slug}.xlsx"


def refuse_target(title: str, files: Sequence[str]) -> None:
    """Raise an `InputError` outside of a workspace, for what is there already, and for a name."""
    root = workspace.root()
    if not workspace.is_meant():
        raise InputError.of("businesscase.new_workspace", file=str(root))
    if not workspace.slug(title) or len(title) > _LONGEST_TITLE:
        raise InputError.of("businesscase.new_name", field="NAME")
    there = [file for file in files if workspace.is_there(root / file)]
    InputError.refuse([Problem("businesscase.new_there", file=file) for file in there])


def write(files: Mapping[str, bytes]) -> None:
    """Write files into the workspace: all of them, or none where one cannot be."""
    with ExitStack() as undoing:
        for name, content in files.items():
            path = workspace.root() / name
            path.parent.mkdir(exist_ok=True)
            with path.open("xb") as stream:
                undoing.callback(path.unlink)
                stream.write(content)
        undoing.pop_all()


def draft(title: str, answers: Mapping[str, str], language: Language) -> Draft:
    """Return the files that answers make, and what is wrong with which answers.

    Parameters
    ----------
    title : str
        Name of the case.
    answers : Mapping of str to str
        By the names of questions; grades and sources too, as ``running_grade``.
    language : {"en", "fr"}
        Of the questions and of the comments.
    """
    texts = defaultdict(str, answers)
    values = {name: f'{_quoted(given)}%"{name}"%' for name, given in answers.items() if given}
    wrong: dict[tuple[str, ...], Problem] = {}
    for question in questions(language):
        name = question.name
        texts[name] = texts[name] or question.default.format_map(texts)
        try:
            value = _value(question, texts)
            values[name] = value and f'{value}%"{name}"%'
        except InputError as error:
            wrong[(name,)] = error.problems[0]
            values[name] = "likely: null" if question.kind == "range" else "null"
    engine = Environment(  # noqa: S701 - no HTML: what is given becomes quoted YAML
        loader=FileSystemLoader(STARTER), line_statement_prefix="%%", keep_trailing_newline=True
    )
    files: dict[str, bytes] = {}
    for path, model in zip(paths(title), _MODELS, strict=False):
        template = engine.get_template(f"{model.__name__.lower()}.{language}.yaml")
        filled = template.render(values, title=_quoted(title), file=path)
        content, lines = re.sub(_MARK, "", filled), filled.split("\n")
        files[path] = content.encode()
        try:
            model.declared(documents.parse(content, ""))
        except SpecError as error:
            for problem in error.problems:
                names = re.findall(_MARK, lines[(problem.line or 1) - 1])
                names.sort(key=lambda name: texts[name] != problem.values.get("given"))
                if names:
                    wrong.setdefault(tuple(names), problem)
                elif not wrong:  # else it is about what stands for a wrong answer
                    raise
    return Draft(files, wrong)


def _quoted(given: str) -> str:
    """Return a text as YAML on one line, so that nothing in it is YAML."""
    whole = " ".join(given.split()).encode("utf-8", "replace").decode()
    return yaml.safe_dump(whole, default_style='"', allow_unicode=True, width=1e9).strip()


def _value(question: Question, texts: Mapping[str, str]) -> str:
    """Return an answer as YAML, empty for none; raises `InputError` for one that is unclear.

    A number that cannot be read stays a text, which the specs read (30 min, 40 %) or refuse.
    """
    given = texts[question.name]
    if not texts.get(question.needs, "not empty"):
        return ""
    if not given:
        raise InputError.of("businesscase.new_missing")
    if question.choices:
        if given not in question.choices:
            raise InputError.of("specs.choice", given=given, choices=[*question.choices])
        return question.choices[given]
    if question.kind == "text":
        return _quoted(given)
    currency = texts["currency"]
    plain = plain_text(given.replace(get_currency_symbol(currency, "en"), ""))
    if re.search("[€£$]", plain):
        raise InputError.of("businesscase.new_currency", given=given, currency=currency)
    if question.kind == "number":
        return _number(plain)
    ends = _BETWEEN.split(plain, 1)
    units = [end.lstrip("-0123456789.,") for end in ends]
    if "" in units and any(units):  # 20 min to 45, 1-2h30, 38 to 46 000
        if units[0] or re.search(r"\d", units[1]):
            raise InputError.of("businesscase.new_unclear", given=given)
        ends[0] += units[1]
    names = ("low", "high") if units[1:] else ("likely",)
    return ", ".join(map("{}: {}".format, names, map(_number, ends)))


def _number(written: str) -> str:
    """Return a number as people write it as YAML, else a text."""
    match = _NUMBER.fullmatch(written)
    if not match:
        return _quoted(written)
    if clear_number(match[1]) != match[1]:
        raise InputError.of("businesscase.new_unclear", given=written)
    return f"{float(match[1].translate(_PLAIN)) * (1000 if match[2] else 1):.15g}"
