"""A customer who was planted in a study is erased, and then is nowhere in any byte."""

import base64
import csv
import datetime
import html
import io
import json
import re
import shutil
import zipfile
import zlib
from urllib.parse import unquote

import openpyxl
import pytest
from click.testing import CliRunner

from conftest import make_workspace
from opslab import archive
from opslab.cli import main
from opslab.secret import key

ADDRESS, NUMBER = "ada.quixotry@example.org", "plant-4711"
LONG = (
    "My vermilion zeppelin kettle boils sideways & whistles “Vivaldi” at <dawn>;\nplease \"recalibrate\" its "
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
    "survey": ["Ocelot-patterned invoice envelopes flummox my bookkeeper entirely, I must confess."],
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
    for number, text in enumerate([*TEXTS["tickets"], SHARED]):
        about = {"id": f"h9{number:03}", "created_at": "2026-08-20", "segment": "Quixotry Ltd"}
        tickets.insert(20 * number % 149, {**tickets[0], **about, "customer_id": ADDRESS, "message": text})
    tickets.append({**tickets[0], "id": "h9500", "customer_id": "c900", "message": SHARED})
    survey = [
        {"id": row["id"], "date": "2026-08-21", "comment": row["commentaire"], "customer_id": f"p{at}"}
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
    pieces |= {ADDRESS, NUMBER, "quixotry", "zorblatt", "kwyjibo", "h9000", "h9001", "s9000", *sources}
    found = {}
    for name, content in files.items():
        for text in unfolded(content):
            seen = letters(text)
            if here := sorted(piece for piece in pieces if piece in seen):
                found.setdefault(name, set()).update(here)
    return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Two chained runs of a week apart, a bundle, a filled-in workbook; then they are erased."""
    folder = make_workspace(tmp_path_factory.mktemp("planted") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        patch.chdir(folder)
        plant(folder)
        code, said = run("run", "feedback_themes", "-p", "spec=planted.yaml")
        assert code == 0, said
        (first,) = (folder / "reports/feedback_themes/planted").glob("2026-09-20-*[0-9a-f]")
        book = openpyxl.load_workbook(first / "themes.xlsx")
        sheet = book["audit"]
        for row in range(2, 40):
            sheet.cell(row, 5, "yes")
        book.save(folder / "filled.xlsx")
        plant(folder, "2026-09-27", "audit: filled.xlsx")
        run("run", "feedback_themes", "-p", "spec=planted.yaml")
        (second,) = (folder / "reports/feedback_themes/planted").glob("2026-09-27-*[0-9a-f]")
        run("bundle", str(second))
        run("bundle", str(first), "--to", "reports")
        shutil.copytree(first, f"{first}.failed")
        (first / "notes.md").write_text(f"> {LONG}\n\nasked by {ADDRESS}", encoding="utf-8")
        yield folder, first, second
