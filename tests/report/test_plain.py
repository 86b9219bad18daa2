"""Blocks in a terminal: nothing is lost, columns stand under their heads, lines are short."""

from __future__ import annotations

from matplotlib.figure import Figure as Drawing

from opslab.report.blocks import (
    Cell,
    Fact,
    Facts,
    Group,
    Heading,
    Pairs,
    Paragraph,
    Points,
    Reference,
    Table,
    Verdict,
)
from opslab.report.figures import Figure
from opslab.report.plain import plain
from opslab.report.sections import Sections


def test_every_kind_has_its_lines():
    blocks = [
        Heading("What changed?"),
        Heading("By day", 3),
        Paragraph("It rose.", refs=[Reference("E1", "#a")]),
        Points(["one", Cell("two", "quiet", interval="1 to 3")]),
        Pairs([("File", "x.csv"), ("Rows used", "12")]),
        Sections([(Cell("Asked", "2 more"), ["one"]), (Cell("Changed"), ["two"])]),
        Facts([Fact("Units", "12", ["a 5", "b 7"]), Fact("p-value", "0.01")]),
        Figure(Drawing(), "Lift +8.0%."),
    ]
    assert plain(blocks).split("\n\n") == [
        "What changed?\n=============",
        "By day\n------",
        "It rose. [E1]",
        "- one\n- two (1 to 3) · quiet",
        "File       x.csv\nRows used  12",
        "Asked · 2 more\n- one\nChanged\n- two",
        "Units \N{EN DASH} 12 (a 5; b 7)\np-value \N{EN DASH} 0.01",
        "Lift +8.0%.",
    ]


def test_a_table_sets_figures_flush_right_under_their_heads():
    table = Table(
        "Arms", ["arm", "units"], [["control", "5,977"], [Cell("short", "new"), "6"]], (1,)
    )
    assert plain([table]).splitlines() == [
        "Arms",
        "arm          units",
        "-----------  -----",
        "control      5,977",
        "short · new      6",
    ]


def test_groups_stand_under_their_heads():
    groups = [Group(Cell("spend", "primary"), [["b", Cell("+1", interval="0 to 2")]])]
    lines = plain([Table("Effects", ["arm", "lift"], groups=groups, numeric=(1,))]).splitlines()
    assert lines[3:] == ["spend · primary", "b    +1 (0 to 2)"]


def test_a_long_cell_goes_on_below_itself():
    long = "the arms have the designed shares on each of the days of the period"
    lines = plain([Table("Checks", ["check", "found"], [["ratio", long], ["x", "y"]])]).splitlines()
    assert max(map(len, lines)) <= len("check") + 2 + 40
    said = " ".join(line.removeprefix("ratio").strip() for line in lines[3:-1])
    assert said == long
    assert lines[-1] == "x      y"


def test_a_verdict_says_all_of_its_reasons():
    facts = Facts([Fact("Units", "12")])
    verdict = Verdict(
        *("A/B experiment", "checkout", "Does it rise?", "Ship", "It rose.", "good", facts),
        reasons=["a"],
        more=["b"],
    )
    assert plain([verdict]).splitlines() == [
        *("A/B experiment", "checkout", "Does it rise?", ""),
        *("Ship", "It rose.", "- a", "- b", "", "Units \N{EN DASH} 12"),
    ]


def test_a_table_without_rows_still_has_its_heads():
    assert plain([Table("Arms", ["arm", "units"])]).splitlines()[1].split() == ["arm", "units"]
    assert plain([]) == ""
