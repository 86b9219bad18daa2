"""A case from nothing: what is asked, and the case and the inventory that the answers make.

Questions and templates are data, in ``starter``. In a template ``${name}`` stands for an answer,
``${name.grade}`` for its grade (unit, source); ``? name`` begins a line that is kept where there is
such an answer, and ``! name`` one that is kept where there is none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from opslab import workspace
from opslab.errors import InputError, Problem, SpecError
from opslab.messages import Language, text
from opslab.specs import FromFile
from opslab.tables.durations import minutes_of, share_of

_STARTER = Path(__file__).parent / "starter"
_PLACE = re.compile(r"\$\{(\w+)(?:\.(\w+))?\}")
_KEPT = re.compile(r"([?!]) (\S+) (.*)")
_BETWEEN = re.compile(r"(?<=[\w%€$£])\s*(?:\bto\b|\bà\b|[-–—])\s*(?=[\d.,])")
_UNCLEAR = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_SIGNS = re.compile(r"[\s'’€$£]")
_MISSING = Problem("businesscase.new_missing")
_YES, _NO = ("yes", "y", "oui", "o", "true"), ("no", "n", "non", "false", "")


@dataclass(frozen=True)
class Question:
    """One thing that is asked.

    Attributes
    ----------
    name : str
        Its name in the templates.
    kind : str
        ``text``, ``number``, ``part``, ``yes``, or a range: ``amount``, ``minutes``, ``share``.
    label, example : str
    heading : str
        The question of the ten that it belongs to.
    default : str
        Taken where nothing is answered; another answer's name stands in braces.
    choices, units : sequence of str
    needs : str
        The answer without which it is not asked.
    """

    name: str
    kind: str
    label: str
    example: str
    heading: str
    default: str = ""
    choices: Sequence[str] = ()
    units: Sequence[str] = ()
    optional: bool = False
    needs: str = ""


@dataclass(frozen=True)
class Answer:
    """What was answered: a text, or the number of a spreadsheet."""

    given: str | float = ""
    unit: str = ""
    grade: str = ""
    source: str = ""


@dataclass(frozen=True)
class Draft:
    """What answers make: files by path in the workspace, and what is wrong with which answers."""

    files: Mapping[str, str]
    wrong: Sequence[tuple[Sequence[str], Problem]]


@cache
def questions(language: Language) -> tuple[Question, ...]:
    """Return what is asked, in order."""
    groups = tomllib.loads((_STARTER / "questions.toml").read_text("utf-8"))["questions"]
    asked = []
    for number, group in enumerate(groups, 1):
        heading = f"{number}/{len(groups)}  {group[language]}"
        for answer in group["answers"]:
            (label, example) = answer[language]
            fields = {name: value for name, value in answer.items() if name not in ("en", "fr")}
            asked.append(Question(label=label, example=example, heading=heading, **fields))
    return tuple(asked)


def graded() -> set[str]:
    """Return the names of the answers that have a grade."""
    return {name for name, part in _PLACE.findall(_template("case", "en")) if part == "grade"}


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


def no_terminal(title: str) -> InputError:
    """Return the error for questions that nobody can answer, with the way out."""
    return InputError.of("businesscase.new_terminal", name=title)


def write(files: Mapping[str, str]) -> None:
    """Write files into the workspace: all of them, or none where one cannot be."""
    written: list[Path] = []
    try:
        for name, content in files.items():
            path = workspace.root() / name
            path.parent.mkdir(exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                written.append(path)
                stream.write(content)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def draft(
    title: str,
    answers: Mapping[str, Answer],
    models: Mapping[str, type[FromFile]],
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
    texts = {name: str(answer.given) for name, answer in answers.items()}
    given = {
        name: answers[name]
        if texts.get(name)
        else Answer(question.default.format_map({"owner": "", "who": "", "today": ""} | texts))
        for name, question in known.items()
    }
    lacking = {
        name
        for name, question in known.items()
        if given[name].given == "" and not question.optional
    }
    wrong: dict[tuple[object, ...], tuple[Sequence[str], Problem]] = {}
    for name, question in known.items():
        if shown := _MISSING if name in lacking else _doubt(question, given[name]):
            wrong[name, shown.key] = (name,), shown
    files: dict[str, str] = {}
    for spec, path in paths(title).items():
        fixed = {"title": _quoted(title), "slug": workspace.slug(title), "file": path}
        lines = list(_filled(_template(spec, language), known, given, fixed, language))
        files[path] = "".join(f"{line}\n" for line, _ in lines)
        for problem in _problems(models[spec], path, files[path]):
            names, beside = _names(problem, lines)
            if lacking.isdisjoint(beside):
                figures = [name for name in names if known[name].kind != "text"]
                shown = _MISSING if problem.key == "specs.no_value" else problem
                wrong.setdefault((*names, shown.key), (figures or names, shown))
    order = list(known)
    ranks = {key: min(map(order.index, names), default=-1) for key, (names, _) in wrong.items()}
    return Draft(files, [wrong[key] for key in sorted(wrong, key=ranks.__getitem__)])


def _template(spec: str, language: Language) -> str:
    return (_STARTER / f"{spec}.{language}.yaml").read_text("utf-8")


def _filled(
    template: str,
    known: Mapping[str, Question],
    given: Mapping[str, Answer],
    fixed: Mapping[str, str],
    language: Language,
) -> Iterator[tuple[str, list[str]]]:
    """Give the lines of a template that are kept, and the answers that stand in each."""

    def fill(match: re.Match[str]) -> str:
        name, part = match.groups()
        if name in fixed:
            return fixed[name]
        question, answer = known[name], given[name]
        parts = {
            "unit": answer.unit or next(iter(question.units), ""),
            "grade": answer.grade or "F",
            "source": answer.source or text("businesscase.new_source", language),
        }
        return _quoted(parts[part]) if part else _value(question.kind, answer.given)

    for line in template.splitlines():
        if match := _KEPT.match(line):
            answered = all(_holds(known[name].kind, given[name]) for name in match[2].split("+"))
            if answered == (match[1] == "!"):
                continue
            line = match[3]
        names = [name for name, _ in _PLACE.findall(line) if name in known]
        yield _PLACE.sub(fill, line), names


def _holds(kind: str, answer: Answer) -> bool:
    said = str(answer.given).strip().lower()
    return said in _YES if kind == "yes" else bool(said)


def _doubt(question: Question, answer: Answer) -> Problem | None:
    """Return what is wrong with a number such as 38.000, or with a yes that is none."""
    said = str(answer.given)
    if question.kind == "yes" and said.lower() not in _YES + _NO:
        values = {"given": said, "choices": question.choices}
        return Problem("specs.choice", values)
    ends = _BETWEEN.split(said) if question.kind in ("number", "amount") else ()
    if said is answer.given and any(_UNCLEAR.fullmatch(_SIGNS.sub("", end)) for end in ends):
        return Problem("businesscase.new_unclear", {"given": said})
    return None


def _value(kind: str, given: str | float) -> str:
    """Return an answer as YAML."""
    if given == "":
        return "likely: null" if kind in _RANGES else "null"
    if kind in ("text", "yes"):
        return _quoted(given)
    if kind == "part":
        return _quoted(share_of(given))
    if kind == "number":
        return _quoted(_number(given))
    read = _RANGES[kind]
    ends = [read(end) for end in (_BETWEEN.split(given) if isinstance(given, str) else [given])]
    names = ("low", "high") if len(ends) > 1 else ("likely",)
    return ", ".join(f"{name}: {_quoted(end)}" for name, end in zip(names, ends, strict=False))


def _minutes(given: str | float) -> object:
    read = minutes_of(given)
    return _number(given) if read == given else read


def _number(given: str | float) -> object:
    """Return a number as people write it; what was given where it is none."""
    if not isinstance(given, str):
        return given
    bare = _SIGNS.sub("", given)
    times = 1000 if bare[-1:] in "kK" else 1
    try:
        return float(bare.rstrip("kK").replace(",", ".")) * times
    except ValueError:
        return given


_RANGES = {"amount": _number, "minutes": _minutes, "share": share_of}


def _quoted(value: object) -> str:
    """Return a text or a number as YAML on one line, so that nothing in a text is YAML."""
    if isinstance(value, str):
        whole = " ".join(value.split()).encode("utf-8", "replace").decode()
        return yaml.safe_dump(whole, default_style='"', allow_unicode=True, width=1e9).strip()
    return f"{value:.15g}"


def _problems(model: type[FromFile], path: str, content: str) -> Sequence[Problem]:
    """Return what a spec refuses of a text."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "draft.yaml")
        file.write_text(content, encoding="utf-8")
        try:
            model.load(file, path)
        except SpecError as error:
            return error.problems
    return ()


def _names(
    problem: Problem, lines: Sequence[tuple[str, list[str]]]
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the answers that a problem is about, and all those of its line and what is below."""
    if not problem.line:
        return (), ()
    indents = [len(line) - len(line.lstrip(" ")) for line, _ in lines]
    start = problem.line - 1
    end = next(
        (at for at in range(start + 1, len(lines)) if indents[at] <= indents[start]), len(lines)
    )
    before = {name for _, own in lines[:start] for name in own}
    names = list(dict.fromkeys(name for _, own in lines[start:end] for name in own))
    own = [name for name in names if name not in before] or names
    leaf = (problem.field or "").rpartition(".")[2]
    about = [leaf] if leaf in names else names[:1] if len(lines[start][1]) > 1 else own
    return about, names
