"""The audit: the sheet's draw, its way through spreadsheets, and what people say on it."""

import openpyxl
import pandas as pd
import pytest

from opslab.errors import DataError
from opslab.feedback.audit import identified, judge, precision, random_sample, read_sheets
from opslab.feedback.edits import COLUMNS, read_edits
from opslab.tables import write_csv, write_xlsx

NAMES = {"T01": "late parcel / colis", "T02": "refund", "T03": "cannot log in"}
TEXTS = dict.fromkeys(NAMES, 9)
STANDING = {("aa11", "T01"): True, ("bb22", "T02"): True, ("cc33", "T01"): False}
STANDING |= {("dd44", "T03"): True, ("dd44", "T02"): True}


def test_the_sheet_is_a_draw_that_order_does_not_change():
    uids = [f"m{number}" for number in range(500)]
    names = {uids[at] for at in random_sample(uids, 1)}
    turned = uids[::-1]
    assert names == {turned[at] for at in random_sample(turned, 1)}
    assert len(names) == 150
    assert names != {uids[at] for at in random_sample(uids, 2)}


def audit_sheet(*answers):
    rows = [(message, theme, NAMES[theme], f"« é {message} »") for message, theme in STANDING]
    frame = pd.DataFrame(rows, columns=["message", "theme", "name", "text"])
    return frame.assign(right=[*answers, *[None] * (len(rows) - len(answers))], team=None)


def themes_sheet():
    frame = pd.DataFrame({"theme": [*NAMES], "name": [*NAMES.values()], "messages": [20, 12, 9]})
    return frame.assign(**dict.fromkeys(COLUMNS))


def sheets_of(path):
    return {kind: identified(rows, NAMES, ()) for kind, rows in read_sheets(path).items()}


def judged(path, edits=None):
    sheets = sheets_of(path)
    edits = edits or read_edits(sheets.get("themes", ()), NAMES, TEXTS)
    return judge(sheets["audit"], STANDING, edits, [*STANDING])


def said(audit):
    return [(each.message, each.theme, each.true, each.new) for each in audit.judgements]


ANSWERS = ("Oui ", "T03", "no", "delivery guy rude")
SAID = [
    ("aa11", "T01", "T01", ""),
    ("bb22", "T02", "T03", ""),
    ("cc33", "T01", "", ""),
    ("dd44", "T03", "", "delivery guy rude"),
]


def test_what_people_say(tmp_path):
    audit = judged(write_csv(audit_sheet(*ANSWERS), tmp_path / "audit.csv"))
    assert said(audit) == SAID
    assert (audit.judged, audit.right, audit.stale) == (3, 1, 0)  # one of the four was unsorted
    assert [each.sure for each in audit.judgements] == [True, True, False, True]
    assert precision([each for each in audit.judgements if each.theme == "T01"]).judged == 1


@pytest.mark.parametrize(
    ("answer", "true"),
    [(word, "T02") for word in ("YES", "oui", "vrai", "TRUE", "juste", "right", "1", "x", "T02")]
    + [(word, "") for word in ("No", "non", "FAUX", "false", "wrong", "0")]
    + [(word, "T03") for word in ("t03", "Cannot  log in")],
)
def test_answers_in_both_languages(tmp_path, answer, true):
    audit = judged(write_csv(audit_sheet(None, answer), tmp_path / "audit.csv"))
    assert said(audit) == [("bb22", "T02", true, "")]


def french_csv(frame, path):
    """As a French Excel saves it: semicolons, its own encoding, a blank row in between."""
    lines = frame.to_csv(sep=";", index=False).splitlines()
    lines.insert(2, ";" * lines[0].count(";"))
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path


def by_hand(frame, path):
    """Columns in another order, one more, headings in capitals, rows sorted and one left out."""
    frame = frame.rename(columns=str.upper)
    frame = frame[frame.columns[::-1]].assign(REMARKS="seen").iloc[[3, 0, 2, 1]]
    return write_csv(frame, path)


def truths(frame, path):
    """A workbook in which yes and no became truths, with blank rows, and all of opslab's sheets."""
    write_xlsx({"themes": themes_sheet(), "messages": frame[["message"]], "audit": frame}, path)
    book = openpyxl.load_workbook(path)
    sheet = book["audit"]
    sheet["E2"], sheet["E4"] = True, False
    sheet.insert_rows(3, 2)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("change", "name"), [(french_csv, "a.csv"), (by_hand, "a.csv"), (truths, "a.xlsx")]
)
def test_a_sheet_survives_spreadsheets(tmp_path, change, name):
    audit = judged(change(audit_sheet(*ANSWERS), tmp_path / name))
    assert sorted(said(audit)) == sorted(SAID)


def test_a_workbook_may_hold_one_sheet_or_both(tmp_path):
    themes = themes_sheet()
    themes["merge_into"] = pd.Series(["refund", None, None], dtype=object)
    themes["split"] = [None, None, 2]
    both = write_xlsx({"themes": themes, "audit": audit_sheet("T02")}, tmp_path / "both.xlsx")
    sheets = sheets_of(both)
    edits = read_edits(sheets["themes"], NAMES, TEXTS)
    assert (edits.merges, edits.splits) == ({"T01": "T02"}, {"T03": ["T03a", "T03b"]})
    audit = judged(both)
    assert (audit.judged, audit.right) == (1, 1)  # both themes are one now
    alone = write_xlsx(audit_sheet("no"), tmp_path / "alone.xlsx", sheet="Feuil1")
    assert judged(alone).right == 0
    assert set(read_sheets(write_csv(themes, tmp_path / "themes.csv"))) == {"themes"}


def test_what_has_moved_since_is_stale(tmp_path):
    sheet = audit_sheet("yes", "yes", "yes", "yes", "yes")
    sheet.loc[0, "name"] = "another name"  # the id is another theme's now
    sheet.loc[1, "theme"], sheet.loc[1, "name"] = "T03", NAMES["T03"]  # the message went elsewhere
    sheet.loc[2, "message"] = "gone"
    audit = judged(write_csv(sheet, tmp_path / "audit.csv"))
    assert (audit.stale, len(audit.judgements)) == (3, 2)


@pytest.mark.parametrize(
    "answer", ["T99", "?", "42", "t03", "cannot log in", "yes, but late", "non mais"]
)
def test_what_is_no_answer_is_refused_at_its_cell(tmp_path, answer):
    path = french_csv(audit_sheet("yes", answer), tmp_path / "audit.csv")
    blank = dict.fromkeys(["name", *COLUMNS], "")
    split = {**blank, "theme": "T03", "known": "T03", "row": "2", "split": "2"}
    edits = read_edits([split], NAMES, TEXTS)
    with pytest.raises(DataError) as caught:
        judged(path, edits)
    (problem,) = caught.value.problems
    assert (problem.key, problem.field, problem.row) == ("feedback.edit_right", "right", 4)
    assert answer in problem.text("en")
    assert answer in problem.text("fr")


def test_one_message_has_one_judgement_in_a_theme(tmp_path):
    twice = pd.concat([audit_sheet("yes"), audit_sheet("yes")])
    assert judged(write_csv(twice, tmp_path / "same.csv")).judged == 1
    twice = pd.concat([audit_sheet("yes"), audit_sheet("no")])
    with pytest.raises(DataError, match="once for each theme"):
        judged(write_csv(twice, tmp_path / "other.csv"))


def test_nothing_judged_is_no_audit(tmp_path):
    assert judged(write_csv(audit_sheet(), tmp_path / "audit.csv")) is None


@pytest.mark.parametrize("column", ["message", "theme", "name"])
def test_a_sheet_without_its_columns_is_refused(tmp_path, column):
    """An old one too, with the name in the place of the id."""
    path = write_csv(audit_sheet("yes").drop(columns=column), tmp_path / "audit.csv")
    with pytest.raises(DataError, match=f"lacks {column};"):
        read_sheets(path)


def test_only_the_unbroken_top_of_the_sheet_is_a_sample(tmp_path):
    """Rows that somebody picked further down move messages, and promise nothing."""
    picked = judged(write_csv(audit_sheet(None, None, "no", "yes"), tmp_path / "audit.csv"))
    assert len(picked.judgements) == 2
    assert (picked.judged, picked.sampled, picked.interval) == (0, (), (0.0, 1.0))
    top = judged(write_csv(audit_sheet("yes", "no", None, None, "yes"), tmp_path / "top.csv"))
    assert [each.message for each in top.sampled] == ["aa11", "bb22"]
    assert (top.judged, top.right) == (2, 1)


def test_a_team_alone_and_not_sure_judge_no_theme(tmp_path):
    sheet = audit_sheet("not sure", None)
    sheet["team"] = pd.Series([None, "payments", None, None, None], dtype=object)
    audit = judged(write_csv(sheet, tmp_path / "audit.csv"))
    assert audit.judgements == ()
    assert audit.teams == {"bb22": "payments"}
