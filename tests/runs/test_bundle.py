"""One zip for the mail: what is in it, that it repeats, and that a hostile run gets nothing out of it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from opslab.archive import sealed
from opslab.cli import main

NOTEBOOK = "experiment_readout"


def file_run(
    reports: Path, name: str, digest: str, cites=None, link="", /, beside=None, **told
) -> str:
    """File a small run, with files beside its four, and return its id."""
    identity = f"{NOTEBOOK}/{name}/2026-09-28-{digest}"
    folder = reports / identity
    folder.mkdir(parents=True)
    (folder / "readout.html").write_text(
        f"<h1>{name}</h1><a href='{link}'>cited</a>", encoding="utf-8"
    )
    (folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
    (folder / "result.json").write_text(
        json.dumps({"cites": cites} if cites else {}), encoding="utf-8"
    )
    for file, content in (beside or {}).items():
        (folder / file).write_bytes(content)
    files = ("readout.html", "notebook.ipynb", "result.json", *(beside or {}))
    run = {
        "outputs": {
            file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files
        },
        "notebook": NOTEBOOK,
        "name": name,
        "as_of": "2026-09-28",
        "status": "complete",
        "headline": f"<b>{name}",
        "digest": digest + "0" * 56,
        "parameters": {"language": "fr"},
        "seconds_per_cell": [1.5],
    } | told
    (folder / "run.json").write_text(json.dumps(sealed(run)), encoding="utf-8")
    return identity


@pytest.fixture
def reports(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


@pytest.fixture
def case(reports):
    """A run that cites a run that cites a run, in a circle."""
    deep = file_run(reports, "deep", "0000000c", [f"{NOTEBOOK}/case/2026-09-28-0000000a"])
    middle = file_run(reports, "middle", "0000000b", [deep])
    return (
        file_run(reports, "case", "0000000a", [middle, deep], f"../../../{middle}/readout.html"),
        middle,
        deep,
    )


def bundle(*arguments):
    return CliRunner().invoke(main, ["bundle", *map(str, arguments)])


class Links(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.found = []
        self.feed(source)

    def handle_starttag(self, _, attributes):
        self.found += [
            value for name, value in attributes if name == "href" and not value.startswith("#")
        ]


def test_the_run_and_all_that_it_cites_with_links_that_lead_somewhere(reports, case, tmp_path):
    done = bundle(reports / case[0])
    assert (done.exit_code, done.output) == (0, "experiment_readout-case-2026-09-28.zip\n")
    with zipfile.ZipFile(tmp_path / "experiment_readout-case-2026-09-28.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        index = archive.read("index.html").decode()
        archive.extractall(tmp_path / "out")
    files = ("notebook.ipynb", "readout.html", "result.json", "run.json")
    assert names == sorted(["index.html", *(f"{run}/{file}" for run in case for file in files)])
    assert Links(index).found == [f"{run}/readout.html" for run in case]
    assert 'lang="fr"' in index
    assert "&lt;b&gt;case" in index
    for page in (tmp_path / "out").rglob("*.html"):
        for link in filter(None, Links(page.read_text(encoding="utf-8")).found):
            assert (page.parent / link).resolve().is_relative_to((tmp_path / "out").resolve())
            assert (page.parent / link).is_file()


def test_pages_of_quotes_and_tables_are_kept_and_links_lead_there_and_back(reports, tmp_path):
    beside = {
        "theme-t01.html": b"<a href='readout.html'>back</a><a href='theme-none.html'>next</a>",
        "theme-none.html": b"<a href='readout.html'>back</a>",
        "themes.xlsx": b"PK\3\4",
        "messages.csv": b"message",
    }
    run = file_run(reports, "themes", "0000000e", [], "theme-t01.html", beside=beside)
    assert bundle(reports / run, "--to", "mine.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        kept = {name: archive.read(f"{run}/{name}") for name in beside}
        archive.extractall(tmp_path / "out")
    assert kept == beside
    pages = [*(tmp_path / "out" / run).glob("*.html")]
    links = [page.parent / link for page in pages for link in Links(page.read_text()).found]
    assert len(links) == 4
    assert all(link.is_file() for link in links)


def test_a_page_that_was_changed_since_is_refused(reports):
    run = file_run(reports, "themes", "0000000e", beside={"theme-t01.html": b"<p>late</p>"})
    (reports / run / "theme-t01.html").write_bytes(b"<script>alert(1)</script>")
    done = bundle(reports / run)
    assert (done.exit_code, "cannot be read (theme-t01.html)" in done.stderr) == (2, True)


def test_the_same_run_gives_the_same_bytes_and_no_trace_of_the_machine(reports, case, tmp_path):
    first = bundle(reports / case[0] / "readout.html", "--to", "one.zip")
    assert first.exit_code == 0
    run = reports / case[1] / "run.json"
    run.write_text(
        run.read_text(encoding="utf-8").replace("1.5", "2.5"), encoding="utf-8"
    )  # ran again, slower
    run.chmod(0o600)
    assert bundle(reports / case[0], "--to", tmp_path / "two.zip").exit_code == 0
    one = (tmp_path / "one.zip").read_bytes()
    assert one == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {about.date_time for about in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {about.external_attr >> 16 for about in archive.infolist()} == {0o100644}
        assert not any(str(tmp_path).encode() in archive.read(name) for name in archive.namelist())


def test_our_own_bundle_is_replaced_and_another_file_is_not(reports, case, tmp_path):
    assert bundle(reports / case[2], "--to", "mine.zip").exit_code == 0
    assert bundle(reports / case[0], "--to", "mine.zip").stdout == "mine.zip\n"
    assert (
        bundle(reports / case[0], "--to", "mine.zip").stdout
        == "mine.zip (there already, nothing to do)\n"
    )
    with zipfile.ZipFile(tmp_path / "foreign.zip", "w") as archive:
        archive.writestr("x", "y")
    before = (tmp_path / "foreign.zip").read_bytes()
    done = bundle(reports / case[0], "--to", "foreign.zip")
    assert done.exit_code == 2
    assert (
        done.stderr
        == "foreign.zip: There is another file of this name; move it away, or choose another name with --to.\n"
    )
    assert (tmp_path / "foreign.zip").read_bytes() == before
    assert bundle(reports / case[0], "--to", tmp_path).stdout.endswith(
        "experiment_readout-case-2026-09-28.zip\n"
    )
    assert bundle(reports / case[0], "--to", "no/such/folder.zip").exit_code == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "experiment_readout-case-2026-09-28.zip",
        "foreign.zip",
        "mine.zip",
        "reports",
    ]


HOSTILE = [
    "../x",
    "../../secret",
    f"{NOTEBOOK}/../2026-09-28-0000000a",
    "/etc/passwd",
    "",
    "C:\\x",
    f"{NOTEBOOK}/x/2026-09-28-0000000a/..",
    f"{NOTEBOOK}/x/2026-09-28-0000000a\n",
    f"./{NOTEBOOK}/x/2026-09-28-0000000a",
]


@pytest.mark.parametrize("cited", HOSTILE)
def test_a_cited_name_is_never_a_path(reports, tmp_path, cited):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/readout.html").write_text("secret")
    run = file_run(reports, "case", "0000000a", [cited])
    done = bundle(reports / run, "--to", "mine.zip")
    assert done.exit_code == 2
    assert "which is not the name of a run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "mine.zip").exists()


@pytest.mark.parametrize(
    "told",
    [
        {"name": "../x"},
        {"notebook": "/x"},
        {"as_of": "2026-09-28/../.."},
        {"digest": "../../.."},
        {"digest": 1},
        {"status": "failed"},
        {"name": None},
        {"headline": "h", "as_of": "soon"},
    ],
    ids=str,
)
def test_what_a_run_tells_of_itself_is_never_a_path(reports, tmp_path, told):
    run = file_run(reports, "case", "0000000a", **told)
    done = bundle(reports / run, "--to", "mine.zip")
    assert done.exit_code == 2
    assert "cannot be read (run.json)" in done.stderr
    assert not (tmp_path / "mine.zip").exists()


def test_a_missing_run_is_named(reports):
    missing = f"{NOTEBOOK}/gone/2026-09-28-00000000"
    run = file_run(reports, "case", "0000000a", [missing])
    done = bundle(reports / run)
    assert done.exit_code == 2
    assert done.stderr == (
        f"{run}: The run cites {missing}, which is not in {reports}; run that notebook again, then this one.\n"
    )


def test_a_run_under_another_name_and_a_link_out_of_the_reports_are_refused(reports, tmp_path):
    other = f"{NOTEBOOK}/other/2026-09-28-00000000"
    run = file_run(reports, "case", "0000000a", [other])
    (reports / other).parent.mkdir()
    (reports / file_run(reports, "real", "0000000b")).rename(reports / other)
    assert bundle(reports / run).exit_code == 2
    alone = reports / file_run(reports, "alone", "0000000d")
    (tmp_path / "secret").write_text("secret")
    (alone / "notebook.ipynb").unlink()
    (alone / "notebook.ipynb").symlink_to(tmp_path / "secret")
    assert "cannot be read (notebook.ipynb)" in bundle(alone).stderr


def test_what_is_no_run_is_refused(reports, case):
    for path in (reports, reports / "nothing", reports / case[0] / "result.json"):
        done = bundle(path)
        assert done.exit_code == 2
        assert (
            done.stderr
            == f"{path}: This is not a complete run; name a run folder, or the readout.html in it.\n"
        )
    (reports / case[0] / "result.json").write_text("[]")
    assert "cannot be read (result.json)" in bundle(reports / case[0]).stderr
