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
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "opslab"
AREAS = {path.parent.name for path in PACKAGE.glob("*/notebooks.toml")} - {"businesscase"}
"""Rooms that bring notebooks; the business case stands above them."""
FLOORS = {
    "lazy": 0,
    "messages": 0,
    "version": 0,
    "errors": 1,
    "claims": 1,
    "contrast": 1,
    "documents": 1,
    "archive": 1,
    "evidence": 1,
    "figure_set": 1,
    "filed_runs": 1,
    "frames": 1,
    "names": 1,
    "results": 1,
    "parameters": 1,
    "progress": 0,
    "provenance": 1,
    "specs": 1,
    "spec_problems": 1,
    "scratch": 1,
    "secret": 1,
    "sheet_alone": 1,
    "startup": 1,
    "tables": 1,
    "uncertainty": 1,
    "warehouse": 1,
    "workspace": 1,
    "report": 2,
    **dict.fromkeys(AREAS, 3),
    "businesscase": 4,
    "runs": 5,
    "cli": 6,
    "__main__": 6,
}
FACES = ["", *sorted(AREAS), "businesscase", "report", "runs", "tables", "uncertainty"]
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Return the full names a module imports, inside functions and under TYPE_CHECKING too."""
    names = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


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


def in_circles(imports: dict[str, set[str]]) -> set[str]:
    """Return the modules that are in a circle of imports, or on a way from one to another."""
    left = imports
    while True:
        wanted = set().union(*left.values())
        kept = {name: others & set(left) for name, others in left.items() if name in wanted}
        kept = {name: others for name, others in kept.items() if others}
        if kept == left:
            return set(left)
        left = kept


def test_circles_are_found():
    straight = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert in_circles(straight) == set()
    assert in_circles(straight | {"c": {"d"}, "d": {"b"}, "e": {"a"}}) == {"b", "c", "d"}


def test_no_modules_import_each_other_in_a_circle():
    """Inside a room neither; under TYPE_CHECKING and in functions neither."""
    paths = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in MODULES
    }
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    imports = {
        module: {name if name in paths else name.rpartition(".")[0] for name in imported(path)}
        & set(paths) - {module}
        for module, path in paths.items()
    }
    assert in_circles(imports) == set()


LATE = {
    "help comes in 0.1 s and a refusal in 0.3 s: what a command needs is loaded with it": {
        "cli/__init__.py",
        "cli/batch.py",
        "cli/answers.py",
        "cli/group.py",
        "cli/new.py",
        "cli/share.py",
        "documents.py",
        "businesscase/parameters.py",
        "experiments/parameters.py",
        "feedback/parameters.py",
        "runs/environment.py",
        "runs/folder.py",
        "runs/runner.py",
    },
    "only a forked process becomes a kernel; one that runs a notebook need not load it": {
        "runs/execution.py",
    },
    "scipy.stats takes half a second, and few experiments need it": {
        "experiments/inference/permutation.py",
    },
    "who asks for a data frame waits for pandas, 0.3 s, and nobody else": {
        "timesaved/result.py",
        "timesaved/sheets.py",
    },
    "statsmodels takes 2.9 s and starts a thread, after which no process may be forked": {
        "timesaved/change/series.py",
    },
    "who sorts messages waits for scikit-learn and its like, 1.2 s, and nobody else": {
        "feedback/checks.py",
        "feedback/edits.py",
        "feedback/clustering.py",
        "feedback/contrasts.py",
        "feedback/duplicates.py",
        "feedback/encoders.py",
        "feedback/heat_map.py",
        "feedback/languages.py",
        "feedback/naming.py",
        "feedback/redaction.py",
    },
    "who asks for a frame of another library waits for it, and nobody else": {
        "contrast.py",
        "frames.py",
        "results.py",
    },
    "an export of one form needs the library of that form only": {
        "operations/launch_readiness/versions.py",
        "tables/calendars.py",
        "tables/workbooks.py",
        "tables/writer.py",
    },
    "outside of notebooks there is nothing to show, and IPython need not be loaded": {
        "report/cells.py",
    },
    "an extra brings it": {"report/pdf.py", "warehouse/dialects.py", "warehouse/spark.py"},
}
"""Why a module imports inside functions; all others do it at their top."""


def test_imports_inside_functions_have_their_reason():
    late = {
        named(path)
        for path in MODULES
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if any(isinstance(part, ast.Import | ast.ImportFrom) for part in ast.walk(node))
    }
    assert late <= set().union(*LATE.values())


def test_one_module_alone_imports_papermill():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any("papermill" in name for name in imported(path))
    }
    assert users == {"runs/execution.py"}


ROOMS = {
    "experiments": 102_800,  # 78,500 was allowed: designs, plan and program cost 24,900 too much
    "businesscase": 51_300,  # 39,700 was allowed: claims, questions, pages, a first case cost 14,600
    "tables": 36_870,  # 24,900 was allowed: layouts, units, formats and tools cost 8,100; sheets came over; two million rows in time and memory cost 350
    "feedback": 66_150,  # 27,300, then 8,000 were allowed: mails, kinds, audits, ranks, teams cost 20,000, memory 19,000 more
    "runs": 28_300,  # batches cost 2,600 more than 5,000; notebooks of one's own 4,000; erasure 6,000
    "report": 14_350,  # what analysts add, in safety: 1,500; explanations and contrasts 400; a digest 250
    "timesaved": 32_900,  # 12,000, and 9,000 allowed: measured change cost 12,500 too much
    "operations": 100_350,  # 22,000, then 12,000 were allowed: launches cost 17,800 more, flow and roadmap 18,500, decisions to digest 44,500
    "uncertainty": 7_000,  # survival came down from experiments, shares from flow, for all areas
    "cli": 4_750,
    "warehouse": 2_700,
}
"""Tokens that a room may hold; the rooms together, and the files at the top, hold at most `TOKENS`.

Lines can be packed, tokens cannot: what a reader has to take in is counted by Python's own `tokenize`,
without comments, docstrings and layout. A room that needs more takes something out, or gives its reason.
"""
TOKENS = 466_100
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


def test_files_and_functions_fit_in_the_head():
    """A file has at most 400 lines; a function 50, its docstring not counted."""
    files = {named(path) for path in MODULES if len(path.read_text("utf-8").splitlines()) > 400}
    functions = {
        f"{named(path)}:{node.name}"
        for path in MODULES
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > 50
    }
    assert not files
    assert not functions


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is None:
        return lines
    return lines - (node.body[0].end_lineno - node.body[0].lineno + 1)


VAGUE = {"one", "found", "made", "told", "place"}
UNSPOKEN = {"utils", "helpers", "common", "misc", "core", "manager"}
VERBS = {"deciding", "opening", "known", "stated", "building", "summed", "measured", "checking"}


def bound(tree: ast.Module) -> set[str]:
    """Return the names that a module binds: variables, parameters, fields, functions."""
    comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, comprehensions) and node.lineno == node.end_lineno
        for part in ast.walk(node)
    }
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in inside:
                names.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.MatchAs(name=str(name)):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                names.add(name)
    return names


def test_what_is_bound_is_found():
    source = (
        "def a(one, *, told):\n    made = [place for place in one]\n"
        "    b.found = {\n        place: 1 for place in made\n    }\n"
    )
    assert bound(ast.parse(source)) == {"a", "one", "told", "made", "found", "place"}
    assert bound(ast.parse("x = [place for place in y]")) == {"x"}


def test_names_say_what_they_hold():
    vague = {named(path) for path in MODULES if bound(syntax(path)) & VAGUE}
    assert not vague
    modules = {named(path) for path in MODULES if path.stem in UNSPOKEN | VERBS}
    assert not modules


def test_the_formatter_alone_lays_out():
    """At most 100 columns, and nothing that the formatter must leave alone."""
    sources = {named(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert not [name for name, source in sources.items() if re.search(r"fmt: (skip|off)", source)]
    wide = {
        name
        for name, source in sources.items()
        for line in source.splitlines()
        if len(re.sub(r"\s*# (noqa|type: ignore).*", "", line)) > 100  # what tools read stays
    }
    assert not wide


@pytest.mark.parametrize("face", FACES)
def test_a_face_shows_its_public_names_and_nothing_else(face):
    package = ".".join(filter(None, ("opslab", face)))
    module = import_module(package)
    names = dir(module)
    assert names == sorted(module.__all__)
    assert not [name for name in names if name.startswith("_")]
    for name in names:
        public = getattr(module, name)
        assert not isinstance(public, ModuleType) or public.__name__ == f"opslab.{name}"
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'annotations'"):
        _ = module.annotations
    # What is told to type checkers is what there is.
    told = {
        alias.asname or alias.name
        for node in ast.walk(syntax(PACKAGE / face / "__init__.py"))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for line in node.body
        for alias in line.names
    }
    assert told == set(names)


@pytest.mark.parametrize("area", [*sorted(AREAS), "businesscase", "tables"])
def test_an_area_is_there_once_the_package_is(area):
    assert f"opslab.{area}" in loaded_after(f"import opslab; opslab.{area}")


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
    """No clock: `import opslab` stays under 0.1 s because it loads three small modules."""
    loaded = loaded_after("import opslab, opslab.experiments, opslab.tables, opslab.uncertainty")
    assert not loaded & (HEAVY | {"pydantic", "click", "babel", "yaml", "numpy"})
    assert {name for name in loaded if name.startswith("opslab")} == {
        "opslab",
        "opslab.lazy",
        "opslab.version",
        "opslab.experiments",
        "opslab.tables",
        "opslab.uncertainty",
    }
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
