"""What holds on every processor: the same analyses under several kernels of OpenBLAS.

NumPy multiplies matrices with a kernel that is chosen by the processor; OPENBLAS_CORETYPE chooses
another. What is promised across kernels, and what is not: "On another processor" in
docs/feedback-methods.md.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT, first_quickly

NEEDS = {"Nehalem": "sse4_2", "Sandybridge": "avx", "Haswell": "avx2", "SkylakeX": "avx512vl"}
ANALYSES = """
import json, sys
from threadpoolctl import threadpool_info
from opslab import businesscase, experiments, feedback, timesaved
from opslab.feedback.encoders import Universal

sys.path.append("tests/timesaved")
from declared import LINE, RANGED, inventory

texts = [f"text number {place} " + "and more " * (place % 7) for place in range(40)]
encoder = Universal()
vectors = encoder.encode(texts)
again = encoder.encode(texts[::-3])
lines = [RANGED, RANGED | {"task": "route", "role": "lead"}, LINE | {"task": "write"}]
saved = [timesaved.estimate(inventory(*order), draws=2_000) for order in (lines, lines[::-1])]
case = businesscase.Case.load("data/sample/product_ops_april.yaml")
tested = experiments.analyze(experiments.Experiment.load("data/sample/stores.yaml"))
told = {
    "kernels": sorted({one["architecture"] for one in threadpool_info() if one["user_api"] == "blas"}),
    "vectors": vectors.tolist(),
    "in other company": bool((vectors[::-3] == again).all()),
    "drivers": [[driver.name for driver in result.drivers] for result in saved],
    "numbers": [
        result.record() for result in (saved[0], tested, businesscase.build(case, draws=1_000))
    ],
}
if "themes" in sys.argv:
    result = feedback.find_themes(study=feedback.Study.load("data/sample/shop_feedback.yaml"))
    told["themes"] = [[theme.title for theme in result.themes], result.labels]
print(json.dumps(told))
"""


@cache
def under(kernel, *more):
    """Return what the analyses tell under a kernel, or skip: what a processor lacks ends with SIGILL."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8").split() if cpuinfo.is_file() else []
    if NEEDS[kernel] not in flags:
        pytest.skip(f"the processor has no {NEEDS[kernel]}, or does not tell: no kernel {kernel}")
    done = subprocess.run(
        [sys.executable, "-c", ANALYSES, *more],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    if told["kernels"] != [kernel]:
        pytest.skip(f"NumPy and SciPy multiply by {told['kernels']}, whatever OpenBLAS is told")
    return told


@pytest.mark.parametrize("kernel", first_quickly("Haswell", "Sandybridge", "SkylakeX", "Nehalem"))
def test_a_vector_hangs_on_no_other_text_and_drivers_on_no_order_of_rows(kernel):
    told = under(kernel)
    assert told["in other company"]
    assert told["drivers"][0] == told["drivers"][1]


PAIRS = first_quickly(("Haswell", "Sandybridge"), ("Haswell", "SkylakeX"), ("Haswell", "Nehalem"))


@pytest.mark.parametrize("kernels", PAIRS, ids="-".join)
def test_numbers_agree_to_nine_digits_and_vectors_to_1e_6(kernels):
    first, second = map(under, kernels)
    assert first["drivers"] == second["drivers"]
    for one, other in zip(first["numbers"], second["numbers"], strict=True):
        for (path, value), (place, expected) in zip(leaves(one), leaves(other), strict=True):
            near = isinstance(value, float)
            assert path == place
            assert value == (pytest.approx(expected, rel=1e-9, abs=1e-12) if near else expected), (
                path
            )
    assert np.abs(np.subtract(first["vectors"], second["vectors"])).max() < 1e-6


@pytest.mark.slow
def test_the_sample_has_the_same_themes():
    """Measured, not promised: a text between two themes may go to the other on another processor."""
    first, second = under("Haswell", "themes"), under("Sandybridge", "themes")
    assert first["themes"] == second["themes"]


def leaves(value, path=()):
    """Give the values of a record with their paths."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path, value
