"""What is a customer's is taken out of a run made by hand, and nothing of anybody else's."""

import csv
import hashlib
import io
import json
import shutil
import zipfile

import pytest
from click.testing import CliRunner
from filelock import FileLock

from opslab import archive, secret
from opslab.cli import main
from opslab.evidence import FILES_TYPE
from opslab.report.cells import packed
from opslab.runs import erasure
from opslab.runs.publication import unpacked
from opslab.runs.traces import words_of

HOME = "reports/feedback_themes/made"
WORDS = "The saffron trebuchet won't reload & café tokens vanish"
NAMED = "Saffron trebuchet"
OTHERS = ["The app crashes when I open it", "Where is my parcel, I ask", "Thanks a lot"]


def table(*rows):
    stream = io.StringIO()
    names = ["message", "source", "id", "name", "text", "customer", "copy_of"]
    writer = csv.DictWriter(stream, names)
    writer.writeheader()
    writer.writerows(dict(zip(names, row, strict=True)) for row in rows)
    return ("\ufeff" + stream.getvalue()).encode()


def file_run(folder, files, notebook="feedback_themes", **more):
    files = {"readout.html": b"<p>ok</p>", "notebook.ipynb": b"{}", "result.json": b"{}"} | files
    about = {"notebook": notebook, "name": "made", "as_of": "2026-09-20", "status": "complete"}
    about |= {"headline": "h", "digest": folder.name[11:].ljust(64, "0")} | more
    about["outputs"] = {name: hashlib.sha256(part).hexdigest() for name, part in files.items()}
    folder.mkdir(parents=True)
    for name, part in files.items():
        (folder / name).write_bytes(part)
    (folder / "run.json").write_text(json.dumps(archive.sealed(about)), encoding="utf-8")


def messages(name, key):
    theirs = [name + "01", "help desk", "1017", NAMED, WORDS, key, ""]
    thanks = [name + "02", "help desk", "t-90210", NAMED, OTHERS[2], key, ""]
    rows = [
        [f"{name}1{at}", "help desk", f"9{at}", NAMED, text, f"other{at}", name + "02"]
        for at, text in enumerate(OTHERS)
    ]
    return table(theirs, *rows, thanks)


@pytest.fixture
def made(workspace_folder):
    """Two runs of feedback, a case that cites a theme of theirs, and a readout of something else."""
    key = secret.key(secret.stored(workspace_folder), "help desk\0c-1")
    html = WORDS.replace("&", "&amp;").replace("'", "&#39;")
    page = (
        f'<style>p {{}}</style><h2 id="saffron-trebuchet">{NAMED}</h2><img alt="{NAMED}: 3" '
        f'src="data:image/svg+xml,drawn"><li>“{html[:44]}…” · help desk · 1017</li>'
        f"<li>“{OTHERS[2]}” · help desk · 91</li><p>1,017 of 2,000</p>"
        f"<p>“{WORDS[:20]}”</p><p>{WORDS[:11]}</p>"  # cut within “trebuchet”
    )
    quotes = [{"uid": "aa0000000001", "id": "1017", "text": WORDS, "language": "en"}]
    quotes += [{"uid": "aa00000000011", "id": "91", "text": OTHERS[1], "language": "en"}]
    record = {"plan": {"study": "made"}, "themes": [{"title": NAMED, "quotes": quotes}]}
    for day, name in (("2026-09-20-0a0a0a0a", "aa00000000"), ("2026-09-27-0b0b0b0b", "bb00000000")):
        parts = {"messages.csv": messages(name, key), "readout.html": page.encode()}
        parts["result.json"] = json.dumps(record).encode()
        file_run(workspace_folder / HOME / day, parts, as_of=day[:10])
    case = {"claims": [f"theme:{NAMED}"], "said": "Where is my parcel, I ask"}
    parts = {"result.json": json.dumps(case).encode(), "made.pdf": b"%PDF-1.7 drawn \0"}
    cited = workspace_folder / "reports/business_case/made/2026-09-28-0c0c0c0c"
    file_run(cited, parts, "business_case", as_of="2026-09-28")
    alone = workspace_folder / "reports/experiment_readout/made/2026-09-28-0d0d0d0d"
    pdf = b"%PDF-1.7 theirs"
    cell = {"data": {FILES_TYPE: {"made.pdf": packed(pdf)}}, "metadata": {}}
    parts = {"readout.html": b"<p>A saffron button, and a trebuchet</p>", "made.pdf": pdf}
    parts["notebook.ipynb"] = json.dumps({"cells": [{"outputs": [cell]}]}).encode()
    file_run(alone, parts, "experiment_readout", as_of="2026-09-28")
    return workspace_folder


def erase(*words):
    done = CliRunner().invoke(main, ["erase", *words])
    return done.exit_code, done.output


def everything(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".opslab-secret"
    }


def test_texts_are_compared_by_their_words():
    told = "Mon caf&eacute; n&#39;est%20PAS\\u00e0"
    assert words_of(told) == ("mon", "cafe", "n", "est", "pasa")


def test_their_words_go_and_those_of_others_stay(made):
    code, said = erase("C-1", "--as-of", "2026-11-30")
    assert code == 0
    assert "feedback_themes/made/2026-09-27-0b0b0b0b" in said
    folder = made / HOME / "2026-09-20-0a0a0a0a"
    filed = archive.read_run(folder)
    assert filed.altered is None
    assert filed.card is not None
    rows = list(csv.DictReader(io.StringIO(filed.files["messages.csv"].decode("utf-8-sig"))))
    assert [row["text"] for row in rows] == OTHERS
    assert [row["id"] for row in rows] == ["90", "91", "92"]
    assert {row["copy_of"] for row in rows} == {"[erased]"}
    page = filed.files["readout.html"].decode()
    assert "1,017 of 2,000" in page
    assert f"“{OTHERS[2]}” · help desk · 91" in page
    assert "data:image/svg+xml,drawn" not in page
    assert "saffron" not in page.casefold()
    assert "trebuch" not in page.casefold()
    assert "help desk · 1017" not in page
    assert "<style>p {}</style>" in page
    (theme,) = json.loads(filed.files["result.json"])["themes"]
    assert theme["title"] == "[erased]"
    assert theme["quotes"][0] == {
        "uid": "[erased]",
        "id": "[erased]",
        "text": "[erased]",
        "language": "en",
    }
    assert theme["quotes"][1]["text"] == OTHERS[1]
    assert theme["quotes"][1]["id"] == "91"


def test_what_cites_them_is_cleaned_and_what_is_about_something_else_is_not(made):
    before = everything(made / "reports/experiment_readout")
    erase("c-1")
    cited = archive.read_run(made / "reports/business_case/made/2026-09-28-0c0c0c0c")
    assert cited.altered is None
    assert json.loads(cited.files["result.json"]) == {
        "claims": ["theme:[erased]"],
        "said": "Where is my parcel, I ask",
    }
    assert b"drawn" not in cited.files["made.pdf"]
    assert cited.files["made.pdf"].startswith(b"%PDF-")
    assert everything(made / "reports/experiment_readout") == before


def test_a_pdf_is_emptied_wherever_its_page_may_hold_what_went(made):
    """Also where the record and the page themselves know nothing of the customer."""
    pdf, cell = b"%PDF-1.7 drawn", {"source": f"# {WORDS}", "outputs": []}
    carried = {"a.pdf": packed(pdf), "z.csv": packed(WORDS.encode())}
    shown = {"outputs": [{"data": {FILES_TYPE: carried}, "metadata": {}}]}
    folder = made / "reports/business_case/made/2026-09-29-0e0e0e0e"
    notebook = json.dumps({"cells": [cell, shown]}).encode()
    parts = {"made.pdf": pdf, "notebook.ipynb": notebook}
    file_run(folder, parts, "business_case", as_of="2026-09-29")
    assert erase("C-1", "--as-of", "2026-11-30")[0] == 0
    filed = archive.read_run(folder)
    assert filed.altered is None
    assert b"drawn" not in filed.files["made.pdf"]
    files = json.loads(filed.files["notebook.ipynb"])["cells"][1]["outputs"][0]["data"][FILES_TYPE]
    contents = [unpacked(files[name], 10_000) for name in ("a.pdf", "z.csv")]
    assert [*files] == ["a.pdf", "z.csv"]
    assert b"drawn" not in contents[0]
    assert b"saffron" not in contents[1]


def test_a_run_that_was_altered_stays_altered(made):
    folder = made / HOME / "2026-09-20-0a0a0a0a"
    with (folder / "messages.csv").open("ab") as stream:
        stream.write(b"x\r\n")
    assert archive.read_run(folder).altered == "messages.csv"
    erase("c-1")
    assert archive.read_run(folder).altered == "messages.csv"


def test_nothing_changes_the_second_time_nor_in_a_dry_run(made):
    before = everything(made)
    assert "Nothing was written" in erase("c-1", "--dry-run")[1]
    assert everything(made) == before
    erase("c-1", "--as-of", "2026-11-30")
    after = everything(made)
    assert after != before
    assert "Nothing of this customer" in erase("c-1", "--as-of", "2026-12-01")[1]
    assert everything(made) == after


def test_an_erasure_that_was_stopped_is_finished(made, monkeypatch):
    def stop(*_given):
        raise KeyboardInterrupt

    real, done = erasure.file_away, []

    def once(working, folder):
        if done:
            stop()
        done.append(folder.name)
        real(working, folder)

    monkeypatch.setattr(erasure, "file_away", once)
    with pytest.raises(KeyboardInterrupt):
        list(erasure.erase("c-1"))
    monkeypatch.setattr(erasure, "file_away", real)
    assert done == ["2026-09-28-0c0c0c0c"]  # what cites them goes first: only they know the words
    list(erasure.erase("c-1"))
    left = {
        name: part for name, part in everything(made / "reports").items() if b"trebuchet" in part
    }
    assert {*left} == {"experiment_readout/made/2026-09-28-0d0d0d0d/readout.html"}
    assert not [name for name in everything(made) if name.endswith((".lock", ".new", ".old"))]


def test_the_tombstone_names_nobody(made):
    erase("c-1", "--as-of", "2026-11-30")
    (line,) = (made / ".opslab-erased").read_text(encoding="utf-8").splitlines()
    stone = json.loads(line)
    assert stone["date"] == "2026-11-30"
    assert len(stone["runs"]) == 3
    key = secret.key(secret.stored(made), "help desk\0c-1")
    assert stone["customer"] == secret.tombstone(secret.stored(made), key) != key
    assert "c-1" not in line
    assert key not in line


def test_another_secret_finds_nobody(made, monkeypatch):
    before = everything(made)
    monkeypatch.setenv("OPSLAB_SECRET", "that of another workspace")
    assert "Nothing of this customer" in erase("c-1")[1]
    assert everything(made) == before


def test_bundles_are_cleaned_wherever_they_are(made):
    with zipfile.ZipFile(made / "mailed.zip", "w") as mailed:
        for name, part in everything(made / "reports").items():
            mailed.writestr(name, part)
        mailed.comment = b"opslab.bundle/1"
    erase("c-1")
    with zipfile.ZipFile(made / "mailed.zip") as mailed:
        left = [name for name in mailed.namelist() if b"trebuchet" in mailed.read(name)]
        assert left == ["experiment_readout/made/2026-09-28-0d0d0d0d/readout.html"]
        assert mailed.comment == b"opslab.bundle/1"


def test_wrong_use_is_refused_with_one_message(made, tmp_path, monkeypatch):
    code, said = erase("c-1", "--source", "hotline")
    assert code == 2
    assert "help desk" in said
    with FileLock(made / HOME / ".2026-10-04-0e0e0e0e.lock"):
        assert erase("c-1")[0] == 5
    (made / ".opslab-erased").write_text("{}\n", encoding="utf-8")
    code, said = erase("c-1")
    assert (code, ".opslab-erased" in said) == (2, True), said
    monkeypatch.chdir(tmp_path)
    assert erase("c-1")[0] == 2


def test_a_text_too_short_to_be_told_apart_goes_where_its_writer_is_cited(made):
    key = secret.key(secret.stored(made), "help desk\0c-1")
    rows = [["cc0000000001", "help desk", "u1", "", "Zut!", key, ""]]
    rows += [["cc0000000002", "help desk", "u2", "", "Zut!", "other", ""]]
    quote = '<li><p dir="auto" lang="fr">Zut!</p> <p class="small" dir="auto">problem · help desk · {}</p></li>'
    page = quote.format("u1 · segment: x") + quote.format("u2")
    sheet = 'name,quotes\r\nA,"- ""Zut!"" (help desk · u1 · 5 August)\r\n- ""Zut!"" (help desk · u2)"\r\n'
    parts = {
        "messages.csv": table(*rows),
        "readout.html": page.encode(),
        "jira.csv": sheet.encode(),
    }
    folder = made / HOME / "2026-10-04-0f0f0f0f"
    file_run(folder, parts, as_of="2026-10-04")
    erase("c-1")
    page, sheet = ((folder / name).read_text("utf-8") for name in ("readout.html", "jira.csv"))
    assert page == quote.replace("Zut!", "[erased]").format("u1").replace(
        "help desk · u1", "[erased] · segment: x"
    ) + quote.format("u2")
    assert '- ""[erased]"" ([erased] · 5 August)' in sheet
    assert '- ""Zut!"" (help desk · u2)' in sheet


def test_runs_in_other_folders_are_named(made):
    (made / "elsewhere").symlink_to(made / "reports")
    shutil.copytree(made / "reports", made / "old" / "reports")
    said = erase("c-1")[1]
    assert "old/reports" in said
    assert "elsewhere" not in said
    assert "old/reports" not in erase("c-1", "--out", "old/reports")[1]


def test_bytes_in_a_record_are_no_words(made):
    for folder in (made / HOME).iterdir():
        (folder / "more.json").write_text('{"base64": "AA/saffron+trebuchet/AA==", "a": "saffron"}')
    erase("c-1")
    more = json.loads((folder / "more.json").read_text("utf-8"))
    assert more == {"base64": "AA/saffron+trebuchet/AA==", "a": "[erased]"}


def test_zips_of_ones_own_stay_and_broken_ones_are_passed_over(made):
    inside = (made / HOME / "2026-09-20-0a0a0a0a/messages.csv").read_bytes()
    for place in (made, made / "reports"):
        with zipfile.ZipFile(place / "exports.zip", "w") as exports:
            exports.writestr("a/b/c/messages.csv", inside)
    own = (made / "exports.zip").read_bytes()
    (made / "reports/broken.zip").write_bytes(own.replace(b"trebuchet", b"catapults"))
    (made / "cut.zip").write_bytes(own[:60])
    code, said = erase("c-1")
    assert code == 0, said
    assert (made / "exports.zip").read_bytes() == own
    assert "reports/exports.zip" in said or "exports.zip: exports.zip" in said
    assert "broken.zip" in said


def test_runs_whose_table_is_gone_or_was_changed_are_named(made):
    assert "cannot be looked for" not in erase("c-1", "--dry-run")[1]
    (made / HOME / "2026-09-20-0a0a0a0a/messages.csv").unlink()
    with (made / HOME / "2026-09-27-0b0b0b0b/messages.csv").open("ab") as stream:
        stream.write(b"x\r\n")
    said = erase("c-1")[1]
    (line,) = (line for line in said.splitlines() if "cannot be looked for" in line)
    assert "feedback_themes/made/2026-09-20-0a0a0a0a" in line
    assert "feedback_themes/made/2026-09-27-0b0b0b0b" in line
    assert "business_case" not in line
