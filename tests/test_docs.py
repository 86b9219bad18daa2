"""The pages that are made from the code are those that the code makes."""

from __future__ import annotations

import importlib.util

from conftest import ROOT


def test_the_reference_is_up_to_date():
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.reference() == build.PAGE.read_text(encoding="utf-8"), "run `make docs`"
