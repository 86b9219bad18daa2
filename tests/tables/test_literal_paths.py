"""Every path is literal: a name with the signs of patterns and addresses reads that file, no other."""

import io
import json
import os

import openpyxl
import pandas as pd
import pytest
from test_workbooks import ODS, XLS, XLSB

from opslab.errors import DataError
from opslab.tables import Answers, read_export

SIGNS = ["*", "?", "[1]", "[!b]", "{a,b}", "%41", "#", ";", "'", '"', " ", "é", "**", "$HOME", "~"]


def xlsx(word):
    book = openpyxl.Workbook()
    book.active.append(["word", "n"])
    book.active.append([word, 1])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(word):
    stream = io.BytesIO()
    pd.DataFrame({"word": [word], "n": [1]}).to_parquet(stream)
    return stream.getvalue()


def calendar(word):
    event = f"BEGIN:VEVENT\nUID:1\nSUMMARY:{word}\nDTSTART:20250303T100000Z\nEND:VEVENT"
    return f"BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR\n".encode()


WRITTEN = {
    "csv": lambda word: f"word,n\n{word},1\n".encode(),
    "tsv": lambda word: f"word\tn\n{word}\t1\n".encode("cp1252"),
    "txt": lambda word: f"word;n\n{word};1\n".encode(),
    "xlsx": xlsx,
    "json": lambda word: json.dumps([{"word": word, "n": 1}]).encode(),
    "jsonl": lambda word: json.dumps({"word": word, "n": 1}).encode(),
    "parquet": parquet,
    "ics": calendar,
}
COLUMN = {"ics": "title"}


def words(path):
    frame, _ = read_export(path, answers=Answers(profile="none"))
    return list(frame[COLUMN.get(path.suffix[1:], "word")])


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_path_is_no_pattern(tmp_path, kind, sign):
    """Beside files that each sign would stand for: one letter, several, one of a set, a decoded one."""
    if os.name == "nt" and set(sign) & set('*?"'):
        pytest.skip("no such names on this system")
    for decoy in ("", "1", "a", "b", "A", "ab", "x1", "e"):
        (tmp_path / f"export{decoy}.{kind}").write_bytes(WRITTEN[kind]("decoy"))
    path = tmp_path / f"export{sign}.{kind}"
    path.write_bytes(WRITTEN[kind]("right"))
    assert words(path) == ["right"]


@pytest.mark.parametrize("sign", ["*", "?", "[1]", "{a,b}"])
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_pattern_that_is_no_file_reads_none(tmp_path, kind, sign):
    for decoy in ("1", "a", "b"):
        (tmp_path / f"export{decoy}.{kind}").write_bytes(WRITTEN[kind]("decoy"))
    with pytest.raises(DataError) as caught:
        words(tmp_path / f"export{sign}.{kind}")
    assert caught.value.problems[0].key.startswith("tables.missing_file")


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "json"])
def test_a_folder_is_no_pattern(tmp_path, kind):
    for folder, word in (("in1", "decoy"), ("in[1]", "right"), ("in*", "right")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"export.{kind}").write_bytes(WRITTEN[kind](word))
    for folder in ("in[1]", "in*"):
        assert words(tmp_path / folder / f"export.{kind}") == ["right"]


@pytest.mark.parametrize(("kind", "content"), [("xls", XLS), ("xlsb", XLSB), ("ods", ODS)])
@pytest.mark.parametrize("sign", ["*", "[1]", "%41", "é"])
def test_other_workbooks_have_literal_paths_too(tmp_path, kind, content, sign):
    for decoy in ("1", "a", "A"):
        (tmp_path / f"export{decoy}.{kind}").write_bytes(b"no workbook")
    path = tmp_path / f"export{sign}.{kind}"
    path.write_bytes(content)
    assert read_export(path, answers=Answers(profile="none"))[0]["id"][0] == "007"
