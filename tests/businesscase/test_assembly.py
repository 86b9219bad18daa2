"""The case as a whole: its record byte for byte, its run through the command."""

import datetime
import json
import math
import os
import subprocess
import sys

import pytest
import yaml
from cases import (
    benefit,
    case,
    cost,
    fields,
    file_run,
    finding,
    hours_case,
    money,
    share,
    simple,
    teams,
    units,
    win,
)

from opslab import workspace
from opslab.businesscase import build
from opslab.businesscase.spec import Case
from opslab.errors import InputError

RUN = "time_saved/desk/2026-10-01-0123abcd"


def built(declared, evidence=None, **more):
    return build(Case(**declared), evidence, **({"draws": 1_000} | more))


# Against a closed form: options that exclude each other, events


def test_a_line_for_a_stretch_option_only_is_listed_with_it():
    declared = simple()
    declared["assumptions"] += [money("extra", 10)]
    declared["benefits"].append(benefit("more", "extra"))
    declared["options"].append(
        {"name": "big", "kind": "stretch", "benefits": ["gained", "more"], "costs": ["paid"]}
    )
    assert [one.name for one in built(declared).lines if one.value.mean] == ["gained", "more"]


# Same inputs, same bytes

SCRIPT = """
import hashlib, json, sys
from pathlib import Path
from opslab import workspace
from opslab.businesscase import build
from opslab.businesscase.spec import Case
result = build(Case.load(Path(sys.argv[1]), "case.yaml"), draws=6_000)
print(hashlib.sha256(json.dumps(result.record(), allow_nan=False).encode()).hexdigest())
"""


def rich(path):
    """A case with something of everything, in a file, with its evidence filed beside it."""
    declared = hours_case(
        calibration="untrained",
        runs=["runs"],
        assumptions=[
            units("visits", (8e5, 1.2e6), "year", grade="F"),
            money("margin", (8, 15), "order", currency="USD"),
            share("part", (0.1, 0.3)),
            share("risk", 0.3),
            money("fine", (1e4, 3e4), "once"),
            money("extra", (100, 900), grade="F"),
        ],
        roadmap=[
            {
                "id": "go",
                "name": "go",
                "starts": "2027-01-01",
                "ends": "2027-02-28",
                "slip": {"low": 0.5, "high": 4},
            }
        ],
        finance={
            "exchange": [
                {
                    "from": "USD",
                    "to": "EUR",
                    "rate": 0.92,
                    "date": "2026-09-30",
                    "source": "treasury",
                }
            ]
        },
        line={"starts": "go", "ramp_months": 6},
    )
    declared["evidence"].append({"id": "shop", "run": "experiment_readout/shop"})
    declared["benefits"].append(
        benefit(
            "orders",
            evidence=["shop"],
            volume="visits",
            worth="margin",
            share="part",
            signed_by="shop",
        )
    )
    declared["costs"].append(cost("fine", "fine", probability="risk"))
    declared["options"][1]["benefits"].append("orders")
    declared["options"][1]["costs"].append("fine")
    declared["options"].append(
        {"name": "small", "kind": "minimum", "benefits": ["hours"], "costs": ["paid"]}
    )
    path.mkdir(exist_ok=True)
    file_run(path / "runs", RUN, [finding(), finding("desk/pm/merge")])
    file_run(path / "runs", "experiment_readout/shop/2026-10-01-0123abcd", [win()])
    (path / "case.yaml").write_text(yaml.safe_dump(declared, sort_keys=False, allow_unicode=True))
    return path / "case.yaml"


@pytest.mark.slow
def test_the_same_bytes_in_any_process(tmp_path, monkeypatch):
    """Threads, locale, time zone, hash seed, folder and day of the machine."""
    made = []
    for number, more in enumerate(
        [
            {
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "TZ": "UTC",
                "LC_ALL": "C",
                "PYTHONHASHSEED": "0",
            },
            {
                "OPENBLAS_NUM_THREADS": "2",
                "OMP_NUM_THREADS": "2",
                "TZ": "Pacific/Auckland",
                "LC_ALL": "fr_FR.UTF-8",
                "PYTHONHASHSEED": "12345",
                "LANG": "fr_FR.UTF-8",
            },
        ]
    ):
        path = rich(tmp_path / f"folder{number}")
        monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
        environment = os.environ | more | {"OPSLAB_WORKSPACE": str(path.parent)}
        told = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        made.append(told.stdout.strip())
    assert len(made[0]) == 64
    assert made[0] == made[1]


def test_the_record_is_plain_json_and_small(tmp_path, monkeypatch):
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path / "w"))
    result = build(Case.load(rich(tmp_path / "w"), "case.yaml"), draws=1_000)
    text = json.dumps(result.record(), allow_nan=False)
    assert len(text) < 1_000_000
    told = json.loads(text)
    assert told["schema"] == "opslab.case/2"
    assert [one["name"] for one in told["options"]] == ["ask", "small"]
    assert told["evidence"] == []
    assert math.isclose(told["options"][0]["npv"]["mean"], result.recommended.npv.mean)
    named = {one["file"] for one in told["inputs"]}
    assert "case.yaml" in named
    assert (
        sum(name.endswith(f"{RUN}/result.json") for name in named) == 1
    )  # from the workspace, as run.json has it


def test_never_is_null_in_the_record():
    declared = case(
        [money("gain", 1), money("pay", 100)], [benefit("g", "gain")], [cost("c", "pay")]
    )
    told = json.loads(json.dumps(build(declared, draws=1_000).record(), allow_nan=False))[
        "options"
    ][0]
    assert (told["payback"], told["payback_discounted"], told["never"]) == (None, None, 1.0)


def test_the_day_is_the_cases_or_the_one_given():
    assert built(simple()).as_of == datetime.date(2026, 10, 5)
    assert built(simple(), as_of=datetime.date(2026, 11, 1)).record()["as_of"] == "2026-11-01"


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"draws": 5}, {"seed": -1}])
def test_draws_and_seed_that_cannot_be(wrong):
    made = fields(
        [money("gain", (60_000, 110_000)), money("pay", 80_000)],
        [benefit("g", "gain")],
        [cost("c", "pay")],
    )
    with pytest.raises(InputError):
        built(made, **wrong)


def test_a_case_made_in_python_is_checked_too():
    declared = simple()
    declared["options"][1]["benefits"] = ["gian"]
    with pytest.raises(InputError):
        built(declared)


# Through the command


def run(folder, declared, *more):
    """Run the notebook in a workspace; return exit code and what was said."""
    (folder / "opslab.toml").touch()
    (folder / "case.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "opslab.cli",
            "run",
            "business_case",
            "-p",
            "spec=case.yaml",
            "-p",
            "draws=1000",
            *more,
        ],
        cwd=folder,
        env=os.environ | {"OPSLAB_WORKSPACE": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in told.stdout + told.stderr
    return told.returncode, told.stdout + told.stderr


def test_what_must_be_corrected_ends_with_2_before_any_kernel(tmp_path):
    declared = hours_case()
    declared["benefits"][0]["worth"] = "rates"
    code, said = run(tmp_path, declared)
    assert code == 2
    assert "did you mean rate" in said
    assert not (tmp_path / "reports/business_case").exists()


@pytest.mark.slow
def test_a_red_case_is_a_readout_with_exit_code_3_and_carries_nothing(tmp_path):
    """More hours than the team has: filed under its good name, beside the run that it cites (`--out`).

    No later case may promise on it.
    """
    file_run(tmp_path / "elsewhere", RUN, [finding()])
    code, said = run(tmp_path, teams(0.1), "--out", "elsewhere")
    assert code == 3, said
    [path] = (tmp_path / "elsewhere/business_case").glob("*/*/result.json")
    told = json.loads(path.read_text())
    assert (told["status"], told["action"], told["cites"]) == ("check_failed", "stop", [RUN])
    with pytest.raises(InputError) as caught:
        built(
            teams(1, previous="business_case/test-case"),
            runs=tmp_path / "elsewhere",
            as_of=datetime.date(2026, 10, 6),
        )
    assert caught.value.problems[0].key == "filed_runs.red_run"


def test_filing_in_is_undone(monkeypatch, tmp_path):
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    before = workspace.reports()

    def fails():
        with workspace.filing_in(tmp_path / "a"):
            with workspace.filing_in(tmp_path / "b"):
                assert workspace.reports() == tmp_path / "b"
            assert workspace.reports() == tmp_path / "a"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert workspace.reports() == before
