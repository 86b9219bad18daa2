"""The house: imports only point down, the package stays small, and its start stays quick."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "opslab"
AREAS = {"experiments", "feedback", "timesaved", "operations"}
FLOORS = {
    "messages": 0,
    "errors": 1,
    "documents": 1,
    "evidence": 1,
    "parameters": 1,
    "specs": 1,
    "startup": 1,
    "tables": 1,
    "uncertainty": 1,
    "workspace": 1,
    "report": 2,
    **dict.fromkeys(AREAS, 3),
    "businesscase": 4,
    "runs": 5,
    "cli": 6,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the full names a module imports, inside functions and under TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_of(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("opslab.")} & set(
        FLOORS
    )


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) != "__init__"], ids=str)
def test_imports_only_point_down(path):
    here = room(path)
    above = {other for other in rooms_of(path) if FLOORS[other] > FLOORS[here]}
    assert not above
    assert not {other for other in rooms_of(path) & AREAS if here in AREAS and other != here}
    if here == "runs":
        assert not rooms_of(path) & (AREAS | {"businesscase"})


def test_every_room_has_a_floor():
    assert {room(path) for path in MODULES} - {"__init__"} <= set(FLOORS)


def test_one_module_alone_imports_papermill():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any("papermill" in name for name in imported(path))
    }
    assert users == {"runs/execute.py"}


ROOMS = {"experiments": 53_000}
"""Tokens that a room may hold; the rooms together hold at most `TOKENS`.

Lines can be packed, tokens cannot: what a reader has to take in is counted by Python's own `tokenize`,
without comments, docstrings and layout. A room that needs more takes something out, or gives its reason.
"""
TOKENS = 184_500
_LAYOUT = {"COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENCODING", "ENDMARKER"}


def tokens(source: str) -> int:
    """Count what has to be read: an f-string is one token, on Pythons that part it (3.12) too."""
    docstrings = {
        (text.lineno, text.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(body := getattr(node, "body", None), list) and body
        if isinstance(text := body[0], ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str)
    }
    count = inside = 0
    for token in tokenize.tokenize(io.BytesIO(source.encode()).readline):
        name = tokenize.tok_name[token.type]
        inside -= name == "FSTRING_END"
        if not inside and name not in _LAYOUT and token.start not in docstrings:
            count += name != "FSTRING_START"
        inside += name == "FSTRING_START"
    return count


def test_tokens_leave_out_words_and_air():
    source = (
        '"""A\n\nb."""\n\nx = f"c {d[0]!r:>{e}}"  # f\n\ndef g():\n    """H."""\n    return 1\n'
    )
    assert tokens(source) == len(["x", "=", "f-string", "def", "g", "(", ")", ":", "return", "1"])


def test_the_package_stays_small():
    """What a formula's docstring tells is no burden; what it computes may be."""
    sources = {path: path.read_text(encoding="utf-8") for path in MODULES}
    sizes = Counter[str]()
    for path, source in sources.items():
        sizes[room(path)] += tokens(source)
    assert not {name: size for name, size in sizes.items() if size > ROOMS.get(name, TOKENS)}
    assert sizes.total() <= TOKENS
    assert not {path.name for path, source in sources.items() if len(source.splitlines()) > 450}
    assert not {path.name for path, source in sources.items() if "fmt: skip" in source}
    unspoken = {"utils", "helpers", "common", "misc", "core", "manager"}
    assert not {path.name for path in MODULES} & {f"{name}.py" for name in unspoken}


def test_every_direct_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = {re.split(r"[<>=\[ ]", line)[0] for line in project["dependencies"]}
    extras = {
        re.split(r"[<>=\[ ]", line)[0]
        for lines in project["optional-dependencies"].values()
        for line in lines
    }
    assert len(base) <= 29  # seaborn and statsmodels are named by those who use the kit
    told = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert not {
        name for name in base | extras if f"| {name} |" not in told and f"| `{name}` |" not in told
    }


def test_constraints_hold_no_address():
    assert "://" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {
    "pandas",
    "scipy",
    "matplotlib",
    "papermill",
    "nbformat",
    "nbconvert",
    "IPython",
    "duckdb",
    "seaborn",
}


def test_importing_the_package_and_its_commands_loads_nothing_heavy():
    assert not loaded_after("import opslab") & (HEAVY | {"pydantic", "click"})
    assert not loaded_after("import opslab.cli") & (HEAVY | {"pydantic"})


def test_a_refusal_loads_nothing_heavy():
    statement = """
from opslab.errors import InputError
from opslab.runs.runner import run_notebook
try:
    run_notebook("experiment_readout", {"spek": "x"})
except InputError:
    pass
"""
    assert not loaded_after(statement) & HEAVY


def test_an_analysis_needs_neither_scipy_stats_nor_statsmodels():
    """Importing them would cost every run 1.5 and 2.9 seconds."""
    statement = """
from opslab import experiments, workspace
experiments.analyze(experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml")))
"""
    assert not loaded_after(statement) & {"scipy.stats", "statsmodels", "seaborn", "pandas"}


@pytest.mark.slow
def test_the_grammar_is_still_worth_skipping():
    """Fails once jsonschema no longer imports the grammar: then `opslab.startup` can go."""
    pytest.importorskip("rfc3987_syntax", reason="only JupyterLab brings the grammar")
    assert "rfc3987_syntax" in loaded_after("import nbformat")
    skipped = "from opslab.startup import without_iri_grammar\nwith without_iri_grammar():\n    import nbformat"
    assert "rfc3987_syntax" not in loaded_after(skipped)
