"""A customer who was planted in a study is erased, and then is nowhere in any byte."""

import base64
import csv
import html
import io
import json
import re
import shutil
import zipfile
import zlib
from urllib.parse import unquote

import nbformat
import openpyxl
import pytest
from click.testing import CliRunner

from conftest import make_workspace
from opslab import archive
from opslab.cli import main
from opslab.feedback.registry.state import Registry, keys_of
from opslab.runs.publication import publication

ADDRESS, NUMBER = "ada.quixotry@example.org", "plant-4711"
HOME = "reports/feedback_themes/planted"
LONG = (
    'My vermilion zeppelin kettle boils sideways & whistles “Vivaldi” at <dawn>;\nplease "recalibrate" its '
    "gyroscopic spout before the Wimbledon regatta, c'est déjà l'été à Tübingen."
)
TEXTS = {
    "tickets": [
        LONG,
        "Zorblatt gearwheel squeaks underneath moonlit pergolas.",
        *(
            f"The yodelling marmalade dispenser {does} on blueberry scones{ends}"
            for does in ("jams", "stalls", "sputters", "hiccups", "overheats")
            for ends in ("", ", alas!", " every Thursday", ", which is galling")
        ),
        "Kwyjibo!",
    ],
    "survey": [
        "Ocelot-patterned invoice envelopes flummox my bookkeeper entirely, I must confess."
    ],
}
SHARED = "The app crashes when I open it."
STUDY = """
study: planted
sources:
  - {{path: tickets.csv, source: help desk}}
  - {{path: survey.csv, source: panel}}
  - {{path: reviews.csv, source: app store}}
start: 2026-08-03
end: {end}
themes: {{cache: .vectors}}
{more}"""


def rows_of(path, encoding="utf-8"):
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";" if encoding == "cp1252" else ","))


def plant(folder, end="2026-09-20", more=""):
    """Write a study of three exports: two of them hold the customer, by address and by id."""
    sample = folder / "data" / "sample"
    tickets = rows_of(sample / "feedback_tickets.csv")[:150]
    form = dict(tickets[0])
    for number, text in enumerate([*TEXTS["tickets"], SHARED]):
        about = {"id": f"h9{number:03}", "created_at": "2026-08-20", "segment": "Quixotry Ltd"}
        tickets.insert(
            20 * number % 149, {**form, **about, "customer_id": ADDRESS, "message": text}
        )
    tickets.append({**form, "id": "h9500", "customer_id": "c900", "message": SHARED})
    survey = [
        {
            "id": row["id"],
            "date": "2026-08-21",
            "comment": row["commentaire"],
            "customer_id": f"p{at}",
        }
        for at, row in enumerate(rows_of(sample / "feedback_survey.csv", "cp1252")[:60])
    ]
    for text in TEXTS["survey"]:
        survey.insert(7, {**survey[0], "id": "s9000", "comment": text, "customer_id": NUMBER})
    for name, rows in (("tickets", tickets), ("survey", survey)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    shutil.copy(sample / "feedback_reviews.csv", folder / "reviews.csv")
    (folder / "planted.yaml").write_text(STUDY.format(end=end, more=more), encoding="utf-8")


def run(*words):
    done = CliRunner().invoke(main, [*words], catch_exceptions=False)
    return done.exit_code, done.output


def bytes_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unfolded(content, depth=0):
    """Yield what bytes hold in whatever form: zips, carried files, escapes."""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield from unfolded(packed.read(name), depth + 1)
        return
    text = content.decode("utf-8", "replace")
    for packed in re.findall(r'"(eJ[A-Za-z0-9+/=]{20,}|eN[A-Za-z0-9+/=]{20,})"', text):
        yield from unfolded(zlib.decompress(base64.b64decode(packed)), depth + 1)
    text = re.sub(r"[A-Za-z0-9+/]{300,}", "", text)
    text = re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text)
    text = text.replace("\\n", "\n").replace('\\"', '"').replace('""', '"')
    yield html.unescape(unquote(text))


def letters(text):
    return re.sub(r"[\s\u00a0]+", " ", text.casefold())


def found_in(files, *, sources=()):
    """Return where anything of the customer stands, by file."""
    texts = [letters(text) for part in TEXTS.values() for text in part]
    pieces = {text[at : at + 12] for text in texts for at in range(max(1, len(text) - 11))}
    pieces |= {
        ADDRESS,
        NUMBER,
        "quixotry",
        "zorblatt",
        "kwyjibo",
        "h9000",
        "h9001",
        "s9000",
        *sources,
    }
    found = {}
    for name, content in files.items():
        for text in unfolded(content):
            seen = letters(text)
            if here := sorted(piece for piece in pieces if piece in seen):
                found.setdefault(name, set()).update(here)
    return found


@pytest.fixture(scope="module")
def erased(tmp_path_factory):
    """Two chained runs a week apart, bundles, a filled-in workbook; what they were, and erased."""
    folder = make_workspace(tmp_path_factory.mktemp("planted") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        patch.chdir(folder)
        plant(folder)
        code, said = run("run", "feedback_themes", "-p", "spec=planted.yaml")
        assert code == 0, said
        (first,) = (folder / HOME).glob("2026-09-20-*[0-9a-f]")
        book = openpyxl.load_workbook(first / "themes.xlsx")
        for row in range(2, 40):
            book["audit"].cell(row, 5, "yes")
        book.save(folder / "filled.xlsx")
        plant(folder, "2026-09-27", "audit: filled.xlsx")
        code, said = run("run", "feedback_themes", "-p", "spec=planted.yaml")
        assert code == 0, said
        (second,) = (folder / HOME).glob("2026-09-27-*[0-9a-f]")
        run("bundle", str(second))
        run("bundle", str(first), "--to", "reports")
        shutil.copytree(first, f"{first}.failed")
        (first / "notes.md").write_text(f"> {LONG}\n\nasked by {ADDRESS}", encoding="utf-8")
        before = looked_at(folder)
        ages = {path: path.stat().st_mtime_ns for path in (first, second / "run.json")}
        said = run("erase", ADDRESS, "--dry-run")[1]
        assert looked_at(folder) == before
        code, more = run("erase", ADDRESS, "--as-of", "2026-11-30")
        assert code == 0, more
        said += more
        said += run("erase", NUMBER, "--source", "panel", "--as-of", "2026-11-30")[1]
        yield folder, first, second, before, said, ages


def looked_at(folder):
    ours = ("data/", "notebooks/", "tickets.csv", "survey.csv")
    return {name: part for name, part in bytes_of(folder).items() if not name.startswith(ours)}


@pytest.mark.slow
def test_the_customer_is_nowhere(erased):
    folder, first, second, before, said, ages = erased
    held = found_in(before)
    kinds = {
        "readout.html",
        "notebook.ipynb",
        "result.json",
        "messages.csv",
        "themes.xlsx",
        "jira.csv",
    }
    assert kinds <= {name.rpartition("/")[2] for name in held}
    assert {"filled.xlsx", f"{HOME}/{first.name}.failed/points.csv"} <= {*held}
    rows = read_table(before[f"{HOME}/{second.name}/messages.csv"])
    theirs = [
        row
        for row in rows
        if row["text"][:20] in {text[:20] for part in TEXTS.values() for text in part}
    ]
    told = {row[name] for row in theirs for name in ("message", "customer")}
    assert len(theirs) == sum(map(len, TEXTS.values()))
    after = looked_at(folder)
    assert found_in(after, sources=told) == {}
    kept = {name for name in before if name.startswith(".vectors/")} - after.keys()
    assert kept
    assert (before.keys() - kept) | {".opslab-erased"} == after.keys()
    left = read_table(after[f"{HOME}/{second.name}/messages.csv"])
    gone = {row["message"] for row in rows} - {row["message"] for row in left}
    assert {row["message"] for row in theirs} < gone
    assert len(gone) == len(theirs) + 1
    texts = {row["message"]: row["text"] for row in rows}
    assert all(texts[row["message"]] == row["text"] for row in left)
    assert "rows 2, " in said
    assert "still holds the customer" in said
    assert all(path.stat().st_mtime_ns == age for path, age in ages.items())


def read_table(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.slow
def test_runs_stay_whole_and_go_on_working(erased, tmp_path):
    folder, first, second, before, _, _ = erased
    for run_folder in (first, second):
        filed = archive.read_run(run_folder)
        assert filed.altered is None
        assert filed.card is not None
        about = json.loads(filed.files["run.json"])
        assert [note["date"] for note in about["erased"]] == ["2026-11-30"] * 2
        stones = (folder / ".opslab-erased").read_text(encoding="utf-8")
        assert all(note["tombstone"] in stones for note in about["erased"])
        carried = publication(nbformat.read(run_folder / "notebook.ipynb", 4)).contents()
        assert {name: filed.files[name] for name in carried} == carried
        registry = Registry.of(filed.files["registry.json"], "registry.json")
        old = Registry.of(before[f"{HOME}/{run_folder.name}/registry.json"], "registry.json")
        assert keys_of([re.sub(r"\s+", " ", LONG)])[0] in old.keys
        assert len(registry.keys) < len(old.keys)
        assert keys_of([SHARED])[0] in registry.keys
        assert len(registry.keys) == len(registry.owners)
    packed = run("bundle", str(second), "--to", str(tmp_path))
    assert packed[0] == 0
    assert run("catalogue")[0] == 0
    assert "altered" not in (folder / "reports/catalogue.json").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(folder / "filled.xlsx")
    assert book["audit"]["E2"].value or book["audit"]["E3"].value
    again = looked_at(folder)
    assert "Nothing of this customer" in run("erase", ADDRESS, "--as-of", "2027-01-01")[1]
    assert {**looked_at(folder), "reports/catalogue.csv": b"", "reports/catalogue.json": b""} == {
        **again,
        "reports/catalogue.csv": b"",
        "reports/catalogue.json": b"",
    }


@pytest.mark.slow
def test_later_runs_leave_the_customer_out(erased):
    folder, *_ = erased
    plant(folder, "2026-10-04")
    code, said = run("run", "feedback_themes", "-p", "spec=planted.yaml")
    assert code == 0, said
    (third,) = (folder / HOME).glob("2026-10-04-*[0-9a-f]")
    record = json.loads((third / "result.json").read_text(encoding="utf-8"))
    assert record["messages"]["erased"] == sum(map(len, TEXTS.values())) + 1
    assert "Rows of customers who were erased" in (third / "readout.html").read_text(
        encoding="utf-8"
    )
    assert found_in(bytes_of(third)) == {}
