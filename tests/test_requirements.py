"""What `make` and the README install is pinned by hash, whole, and the same as constraints.txt."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT

SETS = {"demo": ["pdf"], "lab": ["pdf", "lab"], "test": ["pdf", "lab", "browser", "test"]}
LINE = re.compile(r"([a-z0-9-]+==[^ ]+(?: ; .+?)?)((?: --hash=sha256:[0-9a-f]{64})+)")


def lines(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def pinned(name):
    """Return the requirements of a file and of the one that it starts from."""
    first, *others = lines(name)
    start = pinned(first.removeprefix("-r ").removesuffix(".txt")) if first[0] == "-" else []
    rest = others if first[0] == "-" else [first, *others]
    return [*start, *(Requirement(LINE.fullmatch(line)[1]) for line in rest)]


@pytest.mark.parametrize("name", SETS)
def test_every_package_is_one_version_with_its_hashes(name):
    assert all(LINE.fullmatch(line) or line.startswith("-r ") for line in lines(name))
    assert all(len(requirement.specifier) == 1 for requirement in pinned(name))


@pytest.mark.parametrize("name", SETS)
def test_all_that_the_project_asks_for_is_there(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    asked = project["project"]["dependencies"] + project["build-system"]["requires"]
    asked += [line for extra in SETS[name] for line in extras[extra]]
    held = {}
    for requirement in pinned(name):
        held.setdefault(canonicalize_name(requirement.name), []).append(requirement.specifier)
    for wanted in map(Requirement, asked):
        versions = [str(pin).removeprefix("==") for pin in held[canonicalize_name(wanted.name)]]
        assert all(map(wanted.specifier.contains, versions)), wanted


def test_the_versions_are_those_of_the_constraints():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    constraints = {
        (requirement.name, str(requirement.specifier))
        for requirement in map(Requirement, re.sub(r"(?m)^#.*\n", "", text).splitlines())
    }
    held = {(requirement.name, str(requirement.specifier)) for requirement in pinned("test")}
    assert {name for name, _ in held - constraints} == {"editables"}  # it only builds the project
