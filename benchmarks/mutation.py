"""Change a module a little, many times over, and see whether its tests notice.

A test that passes whatever the code does holds nothing. Each mutant is one small change (an operator, a
comparison, a constant, a turned condition, a result left out) in a copy of the package outside the tree; the
tests that belong to the module run against the copy, and a change that all of them pass has survived. The
sample is fixed by the seed and by each change's own text, so that an edit elsewhere in the module draws no
other sample; changed words are caught easily and only fill it up. Below 90 % the exit code is 1.

Why no tool: mutmut 3 changes function bodies only, while the bounds that decide here (.001, .01, 40) are
constants of modules, and keeps its work in the tree; cosmic-ray rewrites the file in place and brings
thirteen packages, a database among them. Neither draws a sample that repeats.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from queue import SimpleQueue

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src") / "opslab"
WANTED = 0.9
WORKERS = 2
SEED = 20261128
CONTEXT = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
LIBRARIES = [
    "pytest",
    "hypothesis",
    "duckdb",
    "pandas",
    "pydantic",
    "scipy.stats",
    "statsmodels.api",
]
"""Loaded once: they take longer to load than most tests to run."""

DECISION = ("experiments/test_decision.py", "experiments/test_analysis.py")
RULES = ("experiments/test_rules.py", "experiments/test_checks.py")
READINESS = ("operations/test_readiness.py", "operations/test_readiness_attacks.py")
DESIGNS = ("experiments/test_designs.py", "experiments/test_bayesian_design.py")
TESTS: dict[str, tuple[str, ...]] = {
    "experiments/gate.py": ("experiments/test_gate.py",),
    "experiments/decision.py": DECISION,
    "experiments/checks/rules.py": RULES,
    "experiments/checks/events.py": ("experiments/test_events.py",),
    "experiments/checks/sample_ratio.py": (
        "experiments/test_sample_ratio.py",
        "experiments/test_rules.py",
        "experiments/test_split.py",
    ),
    "experiments/checks/all_checks.py": (
        "experiments/test_all_checks.py",
        "experiments/test_checks.py",
        "experiments/test_period.py",
        "experiments/test_trigger.py",
        "experiments/test_finer_rows.py",
        "experiments/test_strata.py",
        "experiments/test_logs.py",
        "experiments/test_totals.py",
    ),
    "experiments/checks/split.py": ("experiments/test_split.py",),
    "experiments/checks/influence.py": (
        "experiments/test_influence.py",
        "experiments/test_cases_robust.py",
    ),
    "experiments/designs/reading.py": DESIGNS,
    "experiments/designs/looks.py": DESIGNS,
    "experiments/plan/checks.py": (
        "experiments/test_plan_history.py",
        "experiments/test_plan_readout.py",
    ),
    "experiments/program/result.py": ("experiments/test_program_readout.py",),
    "experiments/magnitude.py": ("experiments/test_magnitude.py",),
    "experiments/phases.py": ("experiments/test_phase_rules.py",),
    "experiments/inference/strata.py": ("experiments/test_strata.py",),
    "businesscase/verdict.py": ("businesscase/test_verdict.py",),
    "businesscase/claims.py": ("businesscase/test_claims.py",),
    "businesscase/posts.py": ("businesscase/test_posts.py",),
    "businesscase/checks.py": ("businesscase/test_case_checks.py",),
    "businesscase/plausibility.py": ("businesscase/test_plausibility.py",),
    "businesscase/contradictions.py": ("businesscase/test_case_spec.py",),
    "businesscase/result.py": (
        "businesscase/test_promise.py",
        "businesscase/test_case_outcomes.py",
        "businesscase/test_case_sample.py",
        "businesscase/test_presentation.py",
    ),
    "businesscase/quantities.py": (
        "businesscase/test_case_cash.py",
        "businesscase/test_case_outcomes.py",
    ),
    "operations/launch_readiness/gate.py": READINESS,
    "operations/launch_readiness/versions.py": READINESS,
    "operations/launch_readiness/result.py": READINESS,
    "operations/prioritisation/ranking.py": ("operations/test_prioritisation.py",),
    "operations/launch_report/review.py": ("operations/test_launch_report.py",),
    "runs/job.py": ("runs/test_folder.py", "runs/test_registry.py", "runs/test_outcomes.py"),
}
"""The tests that belong to a module, the quickest first: one that fails ends the run."""

EQUIVALENT: dict[str, dict[str, str]] = {
    "experiments/checks/events.py": {
        "_mean_square: 1 -> 2": "an arm of one value or none has no scatter to divide",
        "check_silent_arm: _mean_square(arm) <= _NOTHING * largest -> "
        "_mean_square(arm) < _NOTHING * largest": "0 is below the bound, which is above 0 itself",
    },
    "experiments/checks/sample_ratio.py": {
        "_simulated: drawn >= statistic * (1 - 1e-09) -> drawn > statistic * (1 - 1e-09)": (
            "ties lie above the bound, which is a hair below them"
        ),
    },
    "experiments/checks/rules.py": {
        ": 1e-14 -> 2e-14": "what only rounding makes is far below both, what is real far above",
    },
    "experiments/decision.py": {
        "_Sizing._asked: needs.units < _OUT_OF_REACH -> needs.units <= _OUT_OF_REACH": (
            "no need comes to 10**12 units on the unit"
        ),
    },
}
"""Changes that change nothing that can be seen, by module: "function: before -> after", and why."""

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Change:
    """One mutant: where, what it was, what it is, and the whole module with it."""

    function: str
    line: int
    before: str
    after: str
    occurrence: int
    word: bool
    source: str

    @property
    def name(self) -> str:
        """Return what the change is called in `EQUIVALENT`."""
        return f"{self.function}: {self.before} -> {self.after}"

    @property
    def order(self) -> tuple[bool, str]:
        """Return by what the sample is drawn: words last."""
        key = f"{SEED} {self.name} {self.occurrence}"
        return self.word, hashlib.sha256(key.encode()).hexdigest()


def constants(value: object) -> Iterator[object]:
    """Yield what a constant is changed into."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, float):
        yield value * 2 if value else 1.0
    elif isinstance(value, str) and value:
        yield f"{value}?"


def expressions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what could stand in the place of an expression."""
    match node:
        case ast.Compare(ops=[only]):
            for other in COMPARISONS[type(only)]:
                yield ast.Compare(node.left, [other()], node.comparators)
        case ast.BoolOp(op=sign):
            yield ast.BoolOp(ast.Or() if isinstance(sign, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp(op=sign) if type(sign) in OPERATORS:
            yield ast.BinOp(node.left, OPERATORS[type(sign)](), node.right)
        case ast.Constant(value=value):
            yield from map(ast.Constant, constants(value))
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield ast.Call(ast.Name(CALLS[name], ast.Load()), node.args, node.keywords)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what could stand in the place of a statement."""
    match node:
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call() as test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.Return(value=value) if value and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.AugAssign(op=sign) if type(sign) in OPERATORS:
            yield ast.AugAssign(node.target, OPERATORS[type(sign)](), node.value)
        case ast.Continue():
            yield ast.Break()


def parts(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield the nodes within a node that run: no docstrings, annotations, decorators or refusals."""
    match node:
        case ast.Raise() | ast.Import() | ast.ImportFrom() | ast.keyword(arg="strict"):
            return  # how a refusal is worded, names, and what tells our own mistakes
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        inside = value if isinstance(value, list) else [value]
        for order, part in enumerate(inside):
            text = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
            if isinstance(part, ast.AST) and not text:
                yield part, field, order if isinstance(value, list) else None


def changes_of(source: str) -> list[Change]:
    """Return every change that could be made to a module."""
    tree, changes = ast.parse(source), list[Change]()
    seen: dict[str, int] = {}

    def visit(node: ast.AST, function: str, line: int) -> None:
        for part, field, order in parts(node):
            named = isinstance(part, ast.FunctionDef | ast.ClassDef)
            inside = f"{function}.{part.name}".lstrip(".") if named else function
            here = getattr(part, "lineno", line)
            for other in (*expressions(part), *statements(part)):
                before, after = (ast.unparse(one).splitlines()[0] for one in (part, other))
                key = f"{function}: {before} -> {after}"
                seen[key] = seen.get(key, -1) + 1
                put(node, field, order, other)
                whole = ast.unparse(tree)
                put(node, field, order, part)
                word = isinstance(part, ast.Constant) and isinstance(part.value, str)
                changes.append(Change(function, here, before, after, seen[key], word, whole))
            visit(part, inside, here)

    visit(tree, "", 1)
    return changes


def put(node: ast.AST, field: str, order: int | None, part: ast.AST) -> None:
    """Set a node's part."""
    if order is None:
        setattr(node, field, part)
    else:
        getattr(node, field)[order] = part


def copied(folder: Path) -> Path:
    """Return a copy of the package, compiled."""
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "compileall", "-q", str(folder)]
    subprocess.run(command, check=False, capture_output=True)
    return folder


def run(folder: Path, module: str, source: str, seconds: float | None) -> tuple[int | None, str]:
    """Run a module's tests, file by file, against a copy of the package that holds this source."""
    file, log = folder / PACKAGE / module, folder / "log.txt"
    kept = file.read_bytes()
    file.write_text(source, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        compiled.unlink()  # its time and size could be those of another mutant
    process = CONTEXT.Process(target=session, args=(folder, file, TESTS[module], log))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        code = None
    else:
        code = process.exitcode
    file.write_bytes(kept)
    return code, log.read_text(encoding="utf-8", errors="replace")


def session(folder: Path, file: Path, names: Iterable[str], log: Path) -> None:
    """Run tests in this process, which has the libraries but not yet the package; end it."""
    os.chdir(ROOT)
    sys.path.insert(0, str(folder / "src"))
    os.environ["PYTHONPATH"] = str(folder / "src")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    command = ["-x", "-q", "-c", "pyproject.toml", "--rootdir", "."]
    command += ["-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:xdist"]
    command += ["-o", "addopts=--doctest-modules", "-m", "not slow"]
    examples, code = [str(file)], 0
    for name in names:
        code = code or int(pytest.main([*command, f"tests/{name}", *examples]))
        examples = []
    sys.stdout.flush()
    os._exit(code)


def mutated(module: str, sample: int) -> bool:
    """Run a sample of mutants of a module, print each; return whether enough are caught."""
    source = (ROOT / PACKAGE / module).read_text(encoding="utf-8")
    known = EQUIVALENT.get(module, {})
    changes = changes_of(source)
    gone = known.keys() - {change.name for change in changes}
    drawn = sorted((one for one in changes if one.name not in known), key=lambda one: one.order)
    drawn = sorted(drawn[:sample], key=lambda change: change.line)
    print(f"{module}: {len(drawn)} of {len(changes)} changes; {len(known)} known to change nothing")
    for name in sorted(gone):
        print(f"  no longer there, take it off the list: {name}")
    with tempfile.TemporaryDirectory() as place:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            copies.put(copied(Path(place) / str(number)))
        folder, started = copies.get(), time.perf_counter()
        code, told = run(folder, module, source, None)
        copies.put(folder)
        if code != 0:
            sys.exit(f"{told}\nThe tests of {module} fail as it stands: mend that first.")
        seconds = max(30.0, 5 * (time.perf_counter() - started))

        def tried(change: Change) -> str:
            folder = copies.get()
            code, told = run(folder, module, change.source, seconds)
            copies.put(folder)
            if code not in {None, 0, 1, 2}:  # 1: a test failed; 2: a test could not be collected
                sys.exit(f"pytest ended with {code}:\n{told}")
            return "survived" if code == 0 else "caught" if code is not None else "too slow"

        results = []
        with ThreadPoolExecutor(WORKERS) as workers:
            for change, result in zip(drawn, workers.map(tried, drawn), strict=True):
                where = f"{module}:{change.line} {change.function}"
                print(f"  {result:8} {where}: {change.before}  ->  {change.after}", flush=True)
                results.append(result)
    caught = sum(result != "survived" for result in results)
    print(f"{module}: {caught} of {len(drawn)} caught ({caught / len(drawn):.0%})", flush=True)
    return caught >= WANTED * len(drawn)


def main() -> None:
    """Run the modules that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="such as src/opslab/experiments/gate.py")
    parser.add_argument("--sample", type=int, default=60, help="changes tried in each module")
    given = parser.parse_args()
    modules = [name.removeprefix("src/opslab/") for name in given.modules] or list(TESTS)
    unknown = [name for name in modules if name not in TESTS]
    if unknown:
        sys.exit(f"No tests are set down for {', '.join(unknown)}. Known: {', '.join(TESTS)}.")
    if hasattr(os, "nice"):
        os.nice(10)
    if CONTEXT.get_start_method() == "forkserver":
        CONTEXT.set_forkserver_preload(LIBRARIES)
    results = [mutated(module, given.sample) for module in modules]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
