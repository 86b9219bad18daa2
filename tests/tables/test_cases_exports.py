"""Exports that are hard to read, each kind on a small file of our own, and its right reading.

A case says what the table holds when the file is read, what the reading has to report then, and
which refusals or questions are right too. The last test reads real files where they are kept.
"""

import csv
import io
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from exported import read, values

from opslab.errors import OpslabError
from opslab.tables import Answers, read_export

ANY = r"ask_|misfits|quote|width|header|encoding|layout|table|row|column"
"""A refusal or a question about the layout of the file."""


@dataclass(frozen=True)
class Right:
    """The right reading of a file.

    Attributes
    ----------
    columns : dict
        Cells by heading, of some columns; a joined or dotted heading is known by its last part.
    rows, width : int, optional
        Of the table.
    reports : str
        Pattern of a decision or a reason that the reading has to name.
    rejected : int, optional
        Rows left out.
    refusal : str
        Pattern of the refusals that are right too; without columns nothing else is.
    answers : dict
        Given beside the path.
    """

    columns: dict | None = None
    rows: int | None = None
    width: int | None = None
    reports: str = ""
    rejected: int | None = None
    refusal: str = ""
    answers: dict = field(default_factory=dict)


def plain(column):
    """Return cells that compare: days and times as text, nothing as None."""
    cells = [cell.item() if hasattr(cell, "item") else cell for cell in values(column)]
    return [
        str(cell).removesuffix(" 00:00:00") if hasattr(cell, "isoformat") else cell
        for cell in cells
    ]


def column_of(frame, heading):
    ends = (f"/ {heading}", f".{heading}")
    names = [name for name in frame if name == heading or name.endswith(ends)]
    assert names, f"{heading} is none of {list(frame)}"
    return plain(frame[names[0]])


def checked(right, opened):
    """Check a reading, or a refusal, against what is right."""
    error = None
    try:
        frame, reading = opened()
    except OpslabError as refusal:
        error = refusal
    if error:
        keys = [problem.key.removeprefix("tables.") for problem in error.problems]
        assert right.refusal, error.text()
        assert all(re.search(right.refusal, key) for key in keys), error.text()
        return
    assert right.columns is not None, f"read as {frame.to_dict('list')}"
    assert {name: column_of(frame, name) for name in right.columns} == right.columns
    if right.rows is not None:
        assert len(frame) == right.rows
    if right.width is not None:
        assert len(frame.columns) == right.width
    if right.rejected is not None:
        assert reading.rejected == right.rejected
    if right.reports:
        reports = [*reading.decisions, *reading.rejections]
        keys = [report.key.removeprefix("tables.") for report in reports]
        assert any(re.search(right.reports, key) for key in keys), keys


def text_of(rows, sign=",", end="\n"):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sign, lineterminator=end).writerows(rows)
    return stream.getvalue()


def numbered(count, width=3):
    """Return rows with a number, words of their own, and more numbers."""
    return [
        [str(n), f"remark {n}", *(str(n % 5) for _ in range(width - 2))]
        for n in range(1, count + 1)
    ]


HUNDRED = text_of([["ref", "remark", "stars"], *numbered(100)])
REFS = list(range(1, 101))
THREE = {"ref": [1, 2, 3], "remark": ["fast", "slow", "fine"], "stars": [5, 1, 3]}
TWO = {"ref": [1, 2], "remark": ["fast, mostly", "slow"], "stars": [5, 1]}

DELIMITERS = {
    "caret": ("ref^remark^stars\n1^fast^5\n2^slow^1\n3^fine^3\n", Right(THREE, refusal="ask_")),
    "space": ("ref remark stars\n1 fast 5\n2 slow 1\n3 fine 3\n", Right(THREE, refusal="ask_")),
    "comma and space": (
        'ref, remark, stars\n1, "fast, mostly", 5\n2, "slow", 1\n',
        Right(TWO, width=3),
    ),
    "tab in a csv": ("ref\tremark\tstars\n1\tfast, mostly\t5\n2\tslow\t1\n", Right(TWO, width=3)),
    "semicolons inside cells": (
        "ref,name;alias,stars\n1,ada;a,5\n2,bob;b,1\n",
        Right({"name;alias": ["ada;a", "bob;b"]}, width=3),
    ),
    "semicolons and decimal commas": (
        "ref;cost\n1;2,5\n2;7,25\n3;3.120,5\n",
        Right({"cost": [2.5, 7.25, 3120.5]}),
    ),
    "texts with commas in one column": (
        "remark\nThe map, oddly, stops\nGood, all in all\nSlow, slow\n",
        Right({"remark": ["The map, oddly, stops", "Good, all in all", "Slow, slow"]}, width=1),
    ),
    "lines quoted whole": (
        '"ref,remark,stars"\n"1,fast,5"\n"2,slow,1"\n"3,fine,3"\n',
        Right(THREE, refusal=ANY),
    ),
    "carriage returns alone": ("ref,remark,stars\r1,fast,5\r2,slow,1\r3,fine,3\r", Right(THREE)),
}

WIDTHS = {
    "an empty cell too many, shifted": (
        "ref,hours,people,note\n11,2,6,\n12,3,1,4,\n13,5,2,\n",
        Right({"ref": [11, 13], "hours": [2, 5], "people": [6, 2]}, rejected=1, refusal=ANY),
    ),
    "an empty cell in the middle": (
        "ref,remark,stars,note\n1,fast,5,\n2,slow,,1,\n3,fine,3,\n",
        Right({"ref": [1, 3], "stars": [5, 3]}, rejected=1, refusal=ANY),
    ),
    "a comma without quotes": (
        "ref,remark,stars,note\n1,The map, oddly, 5,\n2,slow,1,\n3,fine,3,\n",
        Right({"ref": [2, 3], "stars": [1, 3]}, rejected=1, refusal=ANY),
    ),
    "a comma without quotes, one row in twenty": (
        text_of(
            [["ref", "remark", "stars", "note"], *[[*row, ""] for row in numbered(20)]]
        ).replace("remark 7", "remark, 7"),
        Right({"ref": [n for n in range(1, 21) if n != 7]}, rejected=1),
    ),
    "every row a cell wider, the last one empty": (
        "ref,hours note,people\n11,2,6,\n12,3,1,\n13,5,2,\n",
        Right({"ref": [11, 12, 13]}, reports="column|head|width|unnamed", refusal=ANY),
    ),
    "a header a cell short as R writes it": (
        '"remark","stars"\n"1","fast",5\n"2","slow",1\n"3","fine",3\n',
        Right({"remark": ["fast", "slow", "fine"], "stars": [5, 1, 3]}, refusal=ANY),
    ),
    "rows end in a delimiter": (
        "ref,remark,stars\n1,fast,5,\n2,slow,1,\n3,fine,3,\n",
        Right(THREE, refusal=ANY),
    ),
    "header and rows end in a delimiter": (
        "ref,remark,stars,\n1,fast,5,\n2,slow,1,\n3,fine,3,\n",
        Right(THREE),
    ),
    "two cells below one heading in a fourth of the rows": (
        text_of(
            [
                ["ref", "remark", "stars"],
                *[[*row, "x"] if n % 4 == 0 else row for n, row in enumerate(numbered(40))],
            ]
        ),
        Right(refusal=ANY),
    ),
    "two tables side by side": (
        "a,b,,c,d\n1,2,,7,8\n3,4,,9,10\n",
        Right({"a": [1, 3], "d": [8, 10]}, width=5, reports="unnamed|table|empty", refusal=ANY),
    ),
}

QUOTES = {
    "opened in the header, never closed": (
        '"ref,remark,stars\n1,fast,5\n2,slow,1\n3,fine,3\n',
        Right(THREE, refusal=ANY),
    ),
    "stray in the last heading": (
        'ref,remark,stars"\n1,fast,5\n2,slow,1\n3,fine,3\n',
        Right({"ref": [1, 2, 3], "remark": ["fast", "slow", "fine"]}, rows=3, refusal=ANY),
    ),
    "text behind a quoted heading": (
        'ref,remark,"stars"x\n1,fast,5\n2,slow,1\n3,fine,3\n',
        Right({"ref": [1, 2, 3], "remark": ["fast", "slow", "fine"]}, rows=3, refusal=ANY),
    ),
    "text behind a quoted cell": (
        text_of([["ref", "remark", "stars"], *numbered(12)]).replace("remark 2", '"remark"2'),
        Right({"ref": [n for n in range(1, 13) if n != 2]}, rejected=1, reports="quote"),
    ),
    "inside a cell, and a cell of two lines": (
        'ref,remark,stars\n1,a "neat" map,5\n2,"b,4\n3,c",3\n4,d,1\n',
        Right({"ref": [1, 2, 4], "remark": ['a "neat" map', "b,4\n3,c", "d"], "stars": [5, 3, 1]}),
    ),
    "with backslashes": (
        'ref,remark,stars\n1,"They said \\"no\\" twice",5\n2,"fast, mostly",1\n3,"plain",4\n',
        Right(
            {"ref": [1, 2, 3], "remark": ['They said "no" twice', "fast, mostly", "plain"]},
            refusal=ANY,
        ),
    ),
    "single ones": (
        "ref,remark,stars\n1,'fast, really',5\n2,'slow, so slow',1\n3,'a, b',2\n",
        Right(
            {"remark": ["fast, really", "slow, so slow", "a, b"], "stars": [5, 1, 2]}, refusal=ANY
        ),
    ),
}

FRENCH = "ref;remark;cost\n1;très cher €;12,5\n2;bien;7,25\n3;où ça, à Noël ?;1,5\n"
COSTS = {"remark": ["très cher €", "bien", "où ça, à Noël ?"], "cost": [12.5, 7.25, 1.5]}
ENCODED = {
    "cp1252": (FRENCH.encode("cp1252"), Right(COSTS)),
    "iso8859-15": (FRENCH.encode("iso8859-15"), Right(COSTS, refusal="encoding")),
    "mac-roman": (FRENCH.encode("mac-roman"), Right(COSTS, refusal="encoding")),
    "cp1251": (
        "ref,remark,stars\n1,Очень быстро и удобно,5\n2,Медленно,1\n".encode("cp1251"),
        Right({"remark": ["Очень быстро и удобно", "Медленно"]}, refusal="encoding"),
    ),
    "shift_jis": (
        "ref,remark,stars\n1,とても良いです,5\n2,遅い,1\n".encode("shift_jis"),
        Right({"remark": ["とても良いです", "遅い"]}, refusal="encoding"),
    ),
    "gbk": (
        "ref,remark,stars\n1,非常好用的应用,5\n2,太慢了,1\n".encode("gbk"),
        Right({"remark": ["非常好用的应用", "太慢了"]}, refusal="encoding"),
    ),
}

PAGES = "Page,Views,Users\n/,310,200\n/help,40,30\n/a,7,6\n"
SURVEY_HEAD = [
    ["Respondent", "Started", "How easy was it?", "Which areas do you use?", "", "", "What else?"],
    ["", "", "Response", "Search", "Exports", "Teams", "Open-Ended Response"],
]
SURVEY_ROWS = [
    ["501", "2026-05-02 09:12:11", "4", "Search", "", "Teams", "Faster lists"],
    ["502", "2026-05-03 10:40:00", "5", "", "Exports", "", ""],
    ["503", "2026-05-04 11:05:59", "2", "Search", "Exports", "", "No, thanks"],
]
LAYOUTS = {
    "no header": (
        "u1,control,12.5\nu2,treatment,7.25\nu3,control,9.5\nu4,treatment,3.5\n",
        Right(refusal="ask_|header"),
    ),
    "no header, answered": (
        "u1,control,12.5\nu2,treatment,7.25\nu3,control,9.5\n",
        Right({}, rows=3, width=3, answers={"header": "none"}),
    ),
    "comment lines": (
        "# exported today\n# Pages, by address\n#\n# from 20260501\n" + PAGES,
        Right(
            {"Page": ["/", "/help", "/a"], "Views": [310, 40, 7]},
            width=3,
            reports="preamble|comment|above",
        ),
    ),
    "one comment line above two columns": (
        "# exported\n" + text_of([["ref", "remark"], *numbered(100, 2)]),
        Right({"ref": REFS}, width=2, reports="preamble|comment|above"),
    ),
    "a comment line above few rows": (
        "# my list\nref,remark\n1,fast\n2,slow\n3,fine\n",
        Right({"ref": [1, 2, 3]}, width=2, reports="preamble|comment|above", refusal="ask_"),
    ),
    "a title, and lines below": (
        "Report of May\n\n" + HUNDRED + "\nSource: the tracker\nConfidential\n",
        Right({"ref": REFS}, width=3, reports="preamble|above|foot|below|width"),
    ),
    "a title with a comma": (
        "Report of May, all teams\n\n" + HUNDRED,
        Right({"ref": REFS}, width=3, reports="preamble|above", refusal="ask_"),
    ),
    "a title with a comma above semicolons": (
        "Liste de mai, toutes équipes\n\nréf;équipe;heures\n"
        + "".join(f"{n};nord {n};{n},5\n" for n in range(1, 13)),
        Right(
            {"réf": list(range(1, 13)), "heures": [n + 0.5 for n in range(1, 13)]},
            width=3,
            reports="preamble|above",
            refusal="ask_",
        ),
    ),
    "a comment with a comma above semicolons": (
        "# exporté le 3, à midi\nréf;équipe;heures\n"
        + "".join(f"{n};nord {n};{n},5\n" for n in range(1, 13)),
        Right(
            {"réf": list(range(1, 13)), "heures": [n + 0.5 for n in range(1, 13)]},
            width=3,
            reports="preamble|comment|above",
            refusal="ask_",
        ),
    ),
    "a title and a ragged row": (
        "Report of May\n" + HUNDRED.replace("remark 50,", "remark 50,,"),
        Right({"ref": [n for n in REFS if n != 50]}, width=3, rejected=1),
    ),
    "lines below": (
        text_of([["ref", "remark", "stars"], *numbered(30)])
        + "\nSource: the tracker\nAll rights reserved\n",
        Right({"ref": list(range(1, 31))}, width=3, reports="foot|below|width"),
    ),
    "lines of a link above": (
        (
            ",,\n,,https://tracker.example/sheet?id=1\n,,\n"
            'ref,remark,day\n1,"fast, with\na break",2026-05-01\n2,slow,2026-05-02\n3,fine,2026-05-03\n'
        ),
        Right(
            {"ref": [1, 2, 3], "remark": ["fast, with\na break", "slow", "fine"]},
            width=3,
            reports="preamble|above",
        ),
    ),
    "a preamble of quoted lines, with tabs": (
        (
            '"Usage"\n"\t Chart: daily"\n\n"","\t Group","2026-05-02","2026-05-09"\n'
            '"Any event","\tEverybody","12","13"\n"Any event","\tPaying","2","1"\n'
        ),
        Right(
            {"2026-05-02": [12, 2], "2026-05-09": [13, 1]},
            rows=2,
            width=4,
            reports="preamble|above",
        ),
    ),
    "two header rows of a survey": (
        text_of([*SURVEY_HEAD, *SURVEY_ROWS]),
        Right(
            {"Respondent": [501, 502, 503], "Exports": [None, "Exports", "Exports"]},
            rows=3,
            width=7,
            refusal="ask_",
        ),
    ),
    "three header rows of a survey": (
        text_of(
            [
                ["RecordedDate", "Status", "Q1", "Q2"],
                ["Recorded Date", "Response Type", "How easy was it?", "Why?"],
                [
                    '{"ImportId":"recordedDate"}',
                    '{"ImportId":"status"}',
                    '{"ImportId":"QID1"}',
                    '{"ImportId":"QID2"}',
                ],
                ["2026-05-02 09:12:11", "IP Address", "4", "Clear"],
                ["2026-05-03 10:12:11", "IP Address", "2", "Slow"],
            ]
        ),
        Right({}, rows=2, width=4, reports="head|row", refusal="ask_"),
    ),
    "a total without a name": (
        "Project,Task,Hours\nA,Plan,2.5\nA,Build,4\nB,Test,1\n,,7.5\n",
        Right({"Hours": [2.5, 4, 1]}, rows=3, reports="total", refusal="ask_"),
    ),
    "a total with a name": (
        "Project,Task,Hours\nA,Plan,2.5\nA,Build,4\nB,Test,1\nTotal,,7.5\n",
        Right({"Hours": [2.5, 4, 1]}, rows=3, reports="total", refusal="ask_"),
    ),
    "a row of units": (
        "Month,Time,Cost\n,h,EUR\n2026-05,12,1.5\n2026-06,14,3\n2026-07,9,4.5\n",
        Right({}, rows=3, width=3, refusal="ask_"),
    ),
    "two headings that differ by case": (
        "ref,Remark,remark,stars\n1,a,b,5\n2,c,d,1\n",
        Right({"ref": [1, 2]}, rows=2, reports="list|renamed|similar"),
    ),
    "a login page": (
        "<!DOCTYPE html>\n<html><head><title>Sign in, please</title></head>\n<body>Name, word</body></html>\n",
        Right(refusal="html|page|format|table|ask_|header|column"),
    ),
}

CELLS = {
    "accounting": (
        'month,cost\nJan,"2,300.50"\nFeb,"(120.25)"\nMar,45.75\n',
        Right({"cost": [2300.5, -120.25, 45.75]}),
    ),
    "dollars": (
        'user,revenue,discount\nu1,$7.50,10%\nu2,"$2,300.00",0%\nu3,$0.00,5%\n',
        Right({"revenue": [7.5, 2300, 0], "discount": [0.1, 0, 0.05]}, refusal="ask_"),
    ),
    "euros": (
        "user;revenue;discount\nu1;7,50 €;10 %\nu2;2 300,00 €;0 %\nu3;0,00 €;5 %\n",
        Right({"revenue": [7.5, 2300, 0], "discount": [0.1, 0, 0.05]}, refusal="ask_"),
    ),
    "codes": (
        "ref,zip,phone,stars\n1,04321,+33612345670,1e3\n2,69001,+33612345671,2e3\n3,00602,0612345672,3e3\n",
        Right(
            {
                "zip": ["04321", "69001", "00602"],
                "phone": ["+33612345670", "+33612345671", "0612345672"],
            }
        ),
    ),
    "numbers of 16 digits": (
        "task,name\n1208000000000001,a\n1208000000000003,b\n",
        Right({"name": ["a", "b"]}),
    ),
    "ranges": ("item,size\nA,2-3\nB,4-5\nC,11-12\n", Right({"size": ["2-3", "4-5", "11-12"]})),
    "versions": ("version,users\n3.11.10,5\n3.10.9,7\n", Right({"version": ["3.11.10", "3.10.9"]})),
    "addresses": ("host,up\n10.1.0.1,1\n10.1.0.2,0\n", Right({"host": ["10.1.0.1", "10.1.0.2"]})),
    "day first of a German tracker": (
        "Schlüssel,Erstellt,Stichwörter,Stichwörter\nA-1,23.10.2025 11:02,x,y\nA-2,01.11.2025 08:15,x,\n",
        Right(
            {
                "Erstellt": ["2025-10-23 11:02:00", "2025-11-01 08:15:00"],
                "Stichwörter": [["x", "y"], ["x"]],
            }
        ),
    ),
    "times of a form with their zone": (
        (
            'Timestamp,How happy?,What now?\n2026/05/27 3:00:00 PM GMT+3,4,"Search, please"\n'
            "2026/05/28 9:02:00 AM GMT+3,3,Nothing\n"
        ),
        Right({"Timestamp": ["2026-05-27 12:00:00", "2026-05-28 06:02:00"]}),
    ),
    "times in UTC and quotes": (
        'number,title,createdAt\n12,"Stops on ""send""",2026-05-01T10:00:00Z\n13,Dark,2026-05-02T10:00:00Z\n',
        Right(
            {
                "title": ['Stops on "send"', "Dark"],
                "createdAt": ["2026-05-01 10:00:00", "2026-05-02 10:00:00"],
            }
        ),
    ),
    "Unix seconds": (
        "event,time,price\nPay,1777629600,12.5\nLeave,1777716000,99\n",
        Right({"event": ["Pay", "Leave"], "price": [12.5, 99]}, rows=2),
    ),
}

JIRA = "Summary,Issue key,Issue id,Issue Type,Status,Created,Resolved,Original Estimate,Time Spent,Work Ratio\n"
ENTRY = [
    "Date",
    "Client",
    "Project",
    "Task",
    "Notes",
    "Hours",
    "Billable?",
    "First Name",
    "Last Name",
]
TOOLS = {
    "Jira Server, American": (
        JIRA
        + "Bill,AC-1,10,Bug,Done,6/21/2026 16:14,6/22/2026 9:05,26h,15h,58%\n"
        + "Key,AC-2,11,Task,To Do,6/22/2026 16:15,,1d 2h,,\n"
        + "Page,AC-3,12,Task,Done,7/01/2026 10:00,7/02/2026 8:00,1h 30m,1w,200%\n",
        Right(
            {
                "created_at": ["2026-06-21 16:14:00", "2026-06-22 16:15:00", "2026-07-01 10:00:00"],
                "original_estimate_hours": [26, 10, 1.5],
                "time_spent_hours": [15, None, 40],
                "work_ratio": [0.58, None, 2],
            },
            answers={"profile": None},
        ),
    ),
    "Harvest with dollars": (
        text_of(
            [
                [*ENTRY, "Billable Amount"],
                ["2026-05-10", "M", "S", "R", "a", "1.5", "Yes", "H", "B", "$2,300.00"],
                ["2026-05-11", "M", "S", "R", "b", "2.25", "Yes", "H", "B", "$60.00"],
                ["2026-05-12", "M", "S", "R", "c", "2.25", "Yes", "H", "B", "$10.00"],
            ]
        ),
        Right(
            {"billable_amount": [2300, 60, 10], "hours": [1.5, 2.25, 2.25]},
            refusal="ask_",
            answers={"profile": None},
        ),
    ),
    "Harvest with a comma too many": (
        text_of(
            [
                [*ENTRY, "Roles"],
                *[["2026-05-10", "M", "S", "R", "a", "2", "Yes", "H", "B", ""]] * 11,
            ]
        ).replace("R,a,2", "R,Call, with M,1.5", 1),
        Right({"hours": [2] * 10}, rejected=1, reports="width|quote", answers={"profile": None}),
    ),
    "Clockify, nothing proves the order": (
        (
            "Project,Description,User,Start Date,Start Time,End Date,End Time,Duration (h)\n"
            "Web,Push,Ada,03/06/2026,10:00:00 AM,03/06/2026,12:00:00 PM,02:00:00\n"
            "Web,Push,Ada,03/07/2026,01:15:00 PM,03/07/2026,02:00:00 PM,00:45:00\n"
        ),
        Right(refusal="ask_day_first$", answers={"profile": None}),
    ),
    "Outlook, French": (
        (
            '"Objet","Début","Début","Fin","Fin","Journée entière","Disponibilité"\r\n'
            '"Point","4/5/2026","09:00:00","4/5/2026","09:15:00","Faux","2"\r\n'
            '"Congé","5/5/2026","00:00:00","6/5/2026","00:00:00","Vrai","3"\r\n'
        ),
        Right(
            {"started_at": ["2026-05-04 09:00:00"], "hours": [0.25]},
            rejected=1,
            answers={"profile": None},
        ),
    ),
    "Toggl": (
        (
            "User,Project,Description,Start date,Start time,End date,End time,Duration\n"
            "Ada,Site,Hero,2026-05-04,09:00:00,2026-05-04,11:45:00,02:45:00\n"
            'Ada,Site,"Nav, foot",2026-05-04,23:30:00,2026-05-05,00:45:00,01:15:00\n'
        ),
        Right(
            {"hours": [2.75, 1.25], "ended_at": ["2026-05-04 11:45:00", "2026-05-05 00:45:00"]},
            answers={"profile": None},
        ),
    ),
}
CASES = {
    f"{group}: {name}": case
    for group, cases in {
        "delimiters": DELIMITERS,
        "widths": WIDTHS,
        "quotes": QUOTES,
        "encodings": ENCODED,
        "layouts": LAYOUTS,
        "cells": CELLS,
        "tools": TOOLS,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_text_files(tmp_path, name):
    content, right = CASES[name]
    checked(right, lambda: read(tmp_path, content, **right.answers))


# --- JSON and workbooks

PEOPLE = [{"ref": 1, "remark": "fast", "user": {"plan": "pro"}}, {"ref": 2, "remark": "slow"}]
JSON = {
    "an array of records": (
        PEOPLE,
        Right({"ref": [1, 2], "remark": ["fast", "slow"], "user.plan": ["pro", None]}),
    ),
    "records below a name": (
        {
            "name": "Board",
            "cards": [
                {"id": "c1", "name": "Draw", "labels": [{"name": "Design"}]},
                {"id": "c2", "name": "Ship", "labels": []},
            ],
        },
        Right({"name": ["Draw", "Ship"], "id": ["c1", "c2"]}, rows=2),
    ),
    "records of an interface": (
        {
            "data": [
                {"id": "7", "attributes": {"rating": 4, "body": "Good"}},
                {"id": "8", "attributes": {"rating": 1, "body": "Bad"}},
            ]
        },
        Right({"rating": [4, 1], "body": ["Good", "Bad"]}, rows=2),
    ),
}


@pytest.mark.parametrize("name", JSON)
def test_json_files(tmp_path, name):
    content, right = JSON[name]
    checked(right, lambda: read(tmp_path, json.dumps(content), "export.json"))


def book(path, *sheets):
    """Write sheets of rows, each with what is done to it."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for number, (rows, change) in enumerate(sheets):
        sheet = workbook.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
        change(sheet)
    workbook.save(path)


def merged(sheet):
    for cells in ("A1:E1", "A2:B2", "C2:E2"):
        sheet.merge_cells(cells)


def hidden(sheet):
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True


def invisible(sheet):
    sheet.sheet_state = "hidden"


def unchanged(sheet):
    pass


def moved(sheet):
    sheet.move_range("A1:C3", rows=3, cols=2)


STARS = [["ref", "remark", "stars"], [1, "fast", 5], [2, "slow", 1]]
BOOKS = {
    "merged headings": (
        [
            (
                [
                    ["Report of May", None, None, None, None],
                    ["Who", None, "Times", None, None],
                    ["ref", "agent", "first reply", "resolution", "stars"],
                    *[[n, f"ag{n}", n * 1.5, n * 2, 5 - n % 3] for n in range(1, 6)],
                ],
                merged,
            )
        ],
        Right({"ref": [1, 2, 3, 4, 5], "first reply": [1.5, 3, 4.5, 6, 7.5]}, rows=5, width=5),
    ),
    "hidden rows and columns": (
        [
            ([["ref", "remark", "stars"], [1, "a", 2], [2, "b", 3], [3, "c", 4]], hidden),
            ([["k"], [1]], invisible),
        ],
        Right({"stars": [2, 3, 4]}, reports="hidden|sheet"),
    ),
    "two sheets": ([(STARS, unchanged), (STARS, unchanged)], Right(refusal="ask_sheet$")),
    "a table that begins at C4": (
        [(STARS, moved)],
        Right({"ref": [1, 2], "stars": [5, 1]}, rows=2, width=3),
    ),
    "a total and a source": (
        [
            (
                [
                    ["month", "hours", "cost"],
                    ["2026-01", 10, 1.5],
                    ["2026-02", 20, 3],
                    ["2026-03", 30, 4.5],
                    ["Total", 60, 9],
                    [None, None, None],
                    ["Source: HR", None, None],
                ],
                unchanged,
            )
        ],
        Right({"hours": [10, 20, 30]}, rows=3, reports="total|foot|below", refusal="ask_"),
    ),
    "formulas never computed": (
        [([["ref", "hours", "twice"], [1, 0.5, "=B2*2"], [2, 1.5, "=B3*2"]], unchanged)],
        Right({"hours": [0.5, 1.5], "twice": [None, None]}, reports="formulas"),
    ),
}


@pytest.mark.parametrize("name", BOOKS)
def test_workbooks(tmp_path, name):
    sheets, right = BOOKS[name]
    path = tmp_path / "export.xlsx"
    book(path, *sheets)
    checked(right, lambda: read_export(path, answers=Answers(profile="none")))


# --- The real files, where they are kept

FOLDER = Path(
    os.environ.get("OPSLAB_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
) / Path("cases", "exports")
GOOD_BAD = {"text": ["good", "bad"], "rating": [5, 1]}
GOOD_BAD_OK = {"text": ["good", "bad", "ok"], "rating": [5, 1, 3]}
TEXTS = [f"text {n}" for n in range(1, 101)]
DIFFICULT = {
    "accounting.csv": Right({"cost": [1200.5, -300.25, 80.75]}),
    "amplitude_segmentation.csv": Right(
        {"2026-03-02": [1201, 201]}, rows=2, width=5, reports="preamble|above"
    ),
    "asana.csv": Right({"Task ID": ["1209000000000001", "1209000000000002"]}, rows=2),
    "asana_gsheet.csv": Right({"Task ID": [1, 2, 3]}, rows=3, width=12, reports="preamble|above"),
    "caret.csv": Right(GOOD_BAD, refusal="ask_"),
    "clockify_us.csv": Right(refusal="ask_day_first$"),
    "comma_space.csv": Right({"text": ["good, really", "bad, so bad"], "rating": [5, 1]}, width=3),
    "comment_two_columns.csv": Right(
        {"text": TEXTS}, rows=100, width=2, reports="preamble|comment|above"
    ),
    "cp1251.csv": Right({"text": ["Очень хорошо", "Плохо"]}, refusal="encoding"),
    "dates_1904.xlsx": Right({"day": ["2026-03-04", "2026-03-05"]}),
    "dup_ci.csv": Right({}, rows=2, reports="list|renamed|similar"),
    "embedded_newline_mac.csv": Right(GOOD_BAD_OK, rows=3),
    "escaped_backslash.csv": Right({"text": ['He said "no" twice', "a, b", "plain"]}, refusal=ANY),
    "euro_cp1252.csv": Right({"text": ["très cher €", "bien"], "prix": [12.5, 7.25]}),
    "footer.csv": Right(
        {"rating": [n % 5 + 1 for n in range(1, 31)]}, rows=30, reports="foot|below|width"
    ),
    "formulas_uncomputed.xlsx": Right({"double": [None] * 3}, reports="formulas"),
    "ga4_pages.csv": Right(
        {"Views": [1234, 400, 17]}, rows=3, width=8, reports="preamble|comment|above"
    ),
    "gbk.csv": Right({}, rows=2, refusal="encoding"),
    "gcal.ics": Right(
        {
            "started_at": ["2026-03-23 09:00:00", "2026-03-31 13:00:00", "2026-04-13 08:00:00"],
            "hours": [0.5, 1, 0.5],
        },
        rejected=1,
    ),
    "github_issues.csv": Right({"title": ['Crash on "save"', "Idea: dark, please"]}, rows=2),
    "google_forms.csv": Right({"How happy are you?": [4, 5, 3]}, rows=3),
    "harvest_fr.csv": Right({"hours": [1.5, 0.75]}),
    "header_short_trailing.csv": Right({}, rows=3, width=4, refusal=ANY),
    "hidden.xlsx": Right({"rating": [0, 1, 2]}, reports="hidden|sheet"),
    "ip.csv": Right({"host": ["10.0.0.1", "10.0.0.2"]}),
    "jira_de.csv": Right(
        {"original_estimate_hours": [2, None, 1], "story_points": [3, 5, None]},
        rows=3,
        refusal="ask_",
    ),
    "jira_us_server.csv": Right(
        {
            "original_estimate_hours": [38, 12, 2.5],
            "time_spent_hours": [15, None, 40],
            "work_ratio": [0.39, None, 2.5],
        }
    ),
    "jira_wide_row.csv": Right(refusal=ANY),
    "latin9_euro.csv": Right({"text": ["très cher €", "bien"]}, refusal="encoding"),
    "leading_zero.csv": Right({"zip": ["01234", "75001", "00501"]}),
    "linear.csv": Right(
        {
            "labels": [["bug", "backend"], []],
            "created_at": ["2026-09-01 10:00:00", "2026-08-01 10:00:00"],
        }
    ),
    "macroman.csv": Right({"text": ["déjà vu, très lent", "à éviter"]}, refusal="encoding"),
    "merged_headings.xlsx": Right(
        {"id": [1, 2, 3, 4, 5], "first reply": [0, 1.5, 3, 4.5, 6]}, rows=5, width=5
    ),
    "minutes.csv": Right({"mmkey": ["a", "b", "c"]}, rows=3, refusal="ask_"),
    "mixed_delims.csv": Right({"name;alias": ["a;b", "c;d"]}, width=3),
    "mixpanel.csv": Right({"$name": ["Ada", "Bob"]}, rows=2),
    "mixpanel_events.csv": Right({"price": [12.5, 99]}, rows=2),
    "money_declared.csv": Right({"billable_amount": [1200, 60, 10]}, refusal="ask_"),
    "money_fr.csv": Right({"revenue": [12.5, 1200, 0]}, refusal="ask_"),
    "money_us.csv": Right({"revenue": [12.5, 1200, 0]}, refusal="ask_"),
    "no_header.csv": Right({}, rows=3, width=3, refusal="ask_|header"),
    "offset.xlsx": Right(GOOD_BAD, rows=2, width=3),
    "one_long_text.csv": Right(
        {"text": ["The app, sadly, crashes", "I like it, a lot", "Slow, slow, slow"]}, width=1
    ),
    "open_quote_header.csv": Right(GOOD_BAD_OK, refusal=ANY),
    "open_quote_header2.csv": Right({"text": ["good", "bad", "ok"]}, rows=3),
    "outlook_de.csv": Right({}, rejected=None, refusal="ask_"),
    "outlook_en.csv": Right(
        {"started_at": ["2026-03-04 09:00:00", "2026-03-14 09:00:00"], "hours": [0.5, 0.5]}
    ),
    "outlook_fr.csv": Right({"started_at": ["2022-07-04 09:00:00"], "hours": [0.25]}, rejected=1),
    "playstore.csv": Right({}, width=16),
    "qualtrics.csv": Right({}, rows=2, width=6, refusal="ask_"),
    "quote_mid.csv": Right({"rating": [5, 3, 1]}, rows=3),
    "quote_then_text_header.csv": Right({"text": ["a", "b", "c"]}, rows=3, refusal=ANY),
    "quote_then_text_row.csv": Right({}, rows=10, rejected=1),
    "quoted_rows.csv": Right(GOOD_BAD, refusal=ANY),
    "range_dates.csv": Right({"size": ["1-2", "3-4", "10-12"]}),
    "records.json": Right({"text": ["good", "bad"]}, rows=2),
    "semicolon_decimal.csv": Right({"amount": [1.5, 2.25, 1234.5]}),
    "shift_decimal.csv": Right({"hours": [2, 3], "people": [4, 2]}, rejected=1, refusal=ANY),
    "shift_extra_cell.csv": Right({"text": ["good", "ok"]}, rejected=1, refusal=ANY),
    "shift_harvest.csv": Right({"hours": [2, 2]}, rejected=1, reports="width", refusal=ANY),
    "shift_jis.csv": Right({}, rows=2, refusal="encoding"),
    "shift_unquoted_comma.csv": Right({"text": ["bad", "ok"]}, rejected=1, refusal=ANY),
    "single_quotes.csv": Right({"rating": [5, 1, 2]}, rows=3, width=3, refusal=ANY),
    "space.csv": Right(GOOD_BAD, refusal="ask_"),
    "surveymonkey.csv": Right(
        {"id": ["118000000001", "118000000002", "118000000003"]},
        rows=3,
        width=10,
        refusal="ask_",
    ),
    "tab_in_csv.csv": Right({"text": ["good, really", "bad, so bad"]}, width=3),
    "tickets_hash.csv": Right(
        {"text": ["good", "bad", "ok"]}, rows=3, reports="preamble|comment|above", refusal="ask_"
    ),
    "title_and_footer.csv": Right({"text": TEXTS}, rows=100, width=3),
    "title_and_one_ragged.csv": Right({}, width=3, reports="preamble|above"),
    "toggl_summary.csv": Right({"hours": [2.5, 1.25]}),
    "totals_footer.xlsx": Right(
        {"hours": [10, 20, 30]}, rows=3, reports="total|foot|below", refusal="ask_"
    ),
    "totals_row_blank.csv": Right({"Hours": [1.5, 2]}, rows=2, reports="total", refusal="ask_"),
    "trailing_delim.csv": Right(GOOD_BAD, rows=2),
    "trailing_delim_rows.csv": Right(GOOD_BAD_OK, refusal=ANY),
    "trello.json": Right({"name": ["Mockup"]}, rows=1, refusal="ask_"),
    "two_sheets.xlsx": Right(refusal="ask_sheet$"),
    "two_tables_side.csv": Right(
        {"a": [1, 5], "d": [4, 8]}, reports="unnamed|table|empty", refusal=ANY
    ),
    "types.xlsx": Right(
        {"pct": [0.125] * 3, "eur": [12.5] * 3, "err": [None] * 3}, reports="errors"
    ),
    "versions.csv": Right({"version": ["3.12.10", "3.11.9"]}),
    "zendesk.csv": Right({"first_reply_minutes": [390, 30]}, rows=2),
}


@pytest.mark.parametrize("name", DIFFICULT)
def test_the_difficult_exports_themselves(name):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not there; name its folder in OPSLAB_REAL_DATA")
    checked(DIFFICULT[name], lambda: read_export(path))
