"""The catalogue: every run once, as it was filed or with the reason why it cannot be used."""

from __future__ import annotations

import csv
import datetime
import hashlib
import html
import io
import json
import re

import pytest

from opslab.archive import run_id, sealed
from opslab.runs.catalogue import write_catalogue

FORMULA = '=HYPERLINK("http://a.invalid";"x")'


def filed(reports, name, day="2026-10-05", files=("readout.html", "notebook.ipynb"), **about):
    """File a small run; return its folder."""
    digest = hashlib.sha256(f"{name}{day}".encode()).hexdigest()
    folder = reports / run_id("experiment_readout", name, datetime.date.fromisoformat(day), digest)
    failed = about.get("status") == "failed"
    if failed:
        folder = folder.with_name(f"{folder.name}.failed")
    folder.mkdir(parents=True)
    outputs = {}
    for file in ("failure.html",) if failed else (*files, "result.json"):
        (folder / file).write_text("{}", encoding="utf-8")
        outputs[file] = hashlib.sha256(b"{}").hexdigest()
    told = {"notebook": "experiment_readout", "name": name, "as_of": day, "status": "complete"}
    told |= {"headline": f"{name} holds.", "digest": digest, "parameters": {"language": "en"}}
    told |= {} if failed else {"outputs": outputs}
    (folder / "run.json").write_text(json.dumps(sealed(told | about)), encoding="utf-8")
    return folder


def page(reports, language="en"):
    return write_catalogue(reports, language).read_text(encoding="utf-8")


def listed(reports):
    """Return the runs of both tables, which are the same."""
    runs = json.loads((reports / "catalogue.json").read_text(encoding="utf-8"))["runs"]
    raw = (reports / "catalogue.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [{name: value.removeprefix("'") for name, value in row.items()} for row in rows] == runs
    return {run["name"]: run for run in runs}


def names(source):
    return re.findall(r'scope="row">(?:<a [^>]*>)?([^<]*)<', source)


def test_decisions_come_first_then_others_then_what_cannot_be_used(tmp_path):
    filed(tmp_path, "older", "2026-09-01", action="Ship", tone="good", owner="growth")
    filed(tmp_path, "failing", status="failed", headline="orders.csv, row 12: no number.\nTwice.")
    filed(tmp_path, "themes", action="11 themes", tone="plain")
    filed(tmp_path, "newer", "2026-10-01", action="Stop", tone="bad", status="check_failed")
    source = page(tmp_path)
    assert names(source) == ["newer", "older", "themes", "failing"]
    assert [source.index(f'id="{name}"') for name in ("decisions", "others", "unusable")] == sorted(
        source.index(f'id="{name}"') for name in ("decisions", "others", "unusable")
    )
    assert "orders.csv, row 12: no number." in source
    assert '.failed/failure.html">failing</a>' in source
    assert "1 September 2026" in source
    assert ">growth</td>" in source
    runs = listed(tmp_path)
    assert runs["older"]["run"] == runs["older"]["page"].removesuffix("/readout.html")
    assert (tmp_path / runs["failing"]["page"]).name == "failure.html"
    assert {name: run["status"] for name, run in runs.items()} == {
        "older": "complete",
        "failing": "failed",
        "themes": "complete",
        "newer": "check_failed",
    }


def test_a_run_that_was_altered_is_listed_and_not_repeated(tmp_path):
    folders = {name: filed(tmp_path, name, action="Ship", tone="good") for name in "abcdef"}
    (folders["a"] / "readout.html").write_text("other", encoding="utf-8")
    (folders["b"] / "result.json").unlink()
    (folders["c"] / "run.json").write_text("{}", encoding="utf-8")
    told = json.loads((folders["d"] / "run.json").read_text(encoding="utf-8"))
    (folders["d"] / "run.json").write_text(json.dumps(told | {"action": "Stop"}), encoding="utf-8")
    folders["e"].rename(folders["e"].with_name("2026-10-05-00000000"))
    source = page(tmp_path)
    assert names(source) == ["f", *sorted("abcde", reverse=True)]
    assert source.count("Cannot be verified") == 5
    assert source.count("f holds.") == 1
    assert "readout.html is not the file that was filed: it was changed" in source
    runs = listed(tmp_path)
    reasons = {name: (run["status"], run["reason"], run["action"]) for name, run in runs.items()}
    assert reasons == {
        "a": ("altered", "readout.html", ""),
        "b": ("altered", "result.json", ""),
        **dict.fromkeys("cde", ("altered", "run.json", "")),
        "f": ("complete", "", "Ship"),
    }
    assert source.count("<a href") - source.count('<a href="#') == 3, "tables, and the one run"


def test_what_is_no_run_is_not_listed(tmp_path):
    filed(tmp_path, "kept").rename(tmp_path / "experiment_readout/kept/.2026-10-05-00000000.new")
    (tmp_path / ".hidden").mkdir()
    filed(tmp_path / ".hidden", "hidden")
    filed(tmp_path, "half").joinpath("run.json").unlink()
    other = tmp_path / "my/own/folder"
    other.mkdir(parents=True)
    (other / "run.json").write_text("{}", encoding="utf-8")
    assert "There are no runs here yet." in page(tmp_path)
    assert listed(tmp_path) == {}


def test_text_from_outside_is_text_on_the_page_and_no_formula_in_the_table(tmp_path):
    hostile = f"{FORMULA}<script>alert(1)</script>\x1b[31m\u202e"
    filed(tmp_path, "mine", headline=hostile, owner=FORMULA, action=FORMULA, tone="good")
    source = page(tmp_path)
    assert "<script" not in source
    assert html.escape(FORMULA).replace("&quot;", "&#34;") in source
    assert not {"\x1b", "\u202e"} & set(source)
    row = (tmp_path / "catalogue.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert row.count("'=HYPERLINK") == 3
    assert listed(tmp_path)["mine"]["owner"] == FORMULA


def test_kind_and_owner_can_be_chosen_without_a_script(tmp_path):
    for place, owner in enumerate(["growth", "crm", "growth", "", "crm", "<b>"]):
        filed(tmp_path, f"r{place}", owner=owner or None, tone="good")
    source = page(tmp_path)
    assert re.findall(r'<label for="owner-(\d)">([^<]*)<', source) == [
        ("0", "All"),
        ("1", "&lt;b&gt;"),
        ("2", "crm"),
        ("3", "growth"),
    ]
    assert re.findall(r'data-owner="(\d)"', source.partition("<main")[2]) == list("12323"), (
        "a run without an owner is never hidden"
    )
    assert ':has(#owner-3:checked) tr[data-owner]:not([data-owner="3"])' in source
    assert '"kind-0"' not in source, "there is one kind only"


def test_it_speaks_french_and_a_readout_its_own_language(tmp_path):
    filed(tmp_path, "mine", origin="rendered", action="Ship", tone="good", owner="growth")
    filed(tmp_path, "failing", status="failed", headline="Row 12.", parameters={"language": "fr"})
    source = page(tmp_path, "fr")
    assert "2 exécutions, de la plus récente à la plus ancienne." in source
    assert "Décisions" in source
    assert "5 octobre 2026" in source
    assert "classé à partir d&#39;un cahier exécuté par un autre programme" in source
    assert '<td role="cell" lang="en"><span class="action good">Ship' in source
    assert '<td role="cell"><span class="action bad">Échec' in source


@pytest.mark.parametrize("count", [3, 40])
def test_the_same_runs_give_the_same_bytes(tmp_path, count):
    for place in range(count):
        filed(tmp_path, f"r{place % 7}", f"2026-09-{1 + place % 28:02}", owner=f"o{place % 3}")
        if place % 28 == 27:
            break
    before = [path.read_bytes() for path in sorted(tmp_path.glob("*.*"))]
    assert before == []
    write_catalogue(tmp_path)
    first = [path.read_bytes() for path in sorted(tmp_path.glob("*.*"))]
    write_catalogue(tmp_path)
    assert first == [path.read_bytes() for path in sorted(tmp_path.glob("*.*"))]
    assert len(first) == 3
