"""Blocks escape what comes in, read rightly without a style, and wide tables name their parts."""

from __future__ import annotations

import re

import pytest

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
    html,
)
from opslab.report.sections import Sections

NASTY = "<script>&\"'"
SHOWN = "&lt;script&gt;&amp;&#34;&#39;"
MINUS, JOINER = "\N{MINUS SIGN}", "\N{WORD JOINER}"


@pytest.mark.parametrize(
    "block",
    [
        Heading(NASTY),
        Paragraph(NASTY, small=True),
        Paragraph(NASTY, "bad", refs=[Reference(NASTY, "#here", NASTY)]),
        Points([NASTY, Cell(NASTY, NASTY, interval=NASTY)]),
        Pairs([(NASTY, NASTY)]),
        Sections([(Cell(NASTY, NASTY), [NASTY])]),
        Facts([Fact(NASTY, NASTY, [NASTY])]),
        Table(NASTY, [NASTY, NASTY], [[NASTY, Cell(NASTY, NASTY, "bad")]], wide=True),
        Table(NASTY, [NASTY], groups=[Group(Cell(NASTY, NASTY), [[NASTY]])]),
        Verdict(
            *(NASTY, NASTY, NASTY, NASTY, NASTY, "good", Facts(()), [NASTY], [NASTY]),
            more_label=NASTY,
        ),
    ],
    ids=lambda block: type(block).__name__,
)
def test_text_stays_text(block):
    source = block._repr_html_()
    assert "<script" not in source
    assert SHOWN in source
    assert not re.search(r'="[^"]*<', source)


def test_blocks_without_content_leave_nothing():
    assert [block._repr_html_() for block in (Points([]), Pairs([]), Facts([]))] == ["", "", ""]


def test_an_interval_stands_in_brackets_and_a_remark_on_a_line_of_its_own():
    cell = Cell("315", "per week", interval="80 to 680").__html__()
    assert re.sub("<(?!br)[^>]*>", "", cell) == "315 (80 to 680)<br>per week"
    (fact,) = re.findall(
        "<li>(.*)</li>", Facts([Fact("Units", "12", ["a 5", "b 7"])])._repr_html_()
    )
    assert re.sub("<(?!br)[^>]*>", "", fact) == "Units<br>12<br>a 5<br>b 7"


def test_sections_are_rows_with_their_lines_as_a_list():
    shown = Sections([(Cell("Asked", "2 more"), ["one", "two"])])._repr_html_()
    assert re.sub("<(?!/?(?:th|ul|li))[^>]*>", "", shown) == (
        '<th scope="row">Asked2 more</th><ul class="points"><li>one</li><li>two</li></ul>'
    )
    assert Sections([])._repr_html_() == ""


def test_a_pair_is_a_row_with_its_name_at_its_head():
    assert Pairs([("File", "x.csv")])._repr_html_() == (
        '<table class="pairs"><tr><th scope="row">File</th><td>x.csv</td></tr></table>'
    )


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (f"{MINUS}€89k", f"{MINUS}{JOINER}€89k"),
        ("+€89k", f"+{JOINER}€89k"),
        (f"{MINUS}£5 to +£7", f"{MINUS}{JOINER}£5 to +{JOINER}£7"),
        (f"{MINUS}0.29", f"{MINUS}0.29"),
        ("a + b", "a + b"),
    ],
)
def test_a_sign_stays_with_its_amount(amount, shown):
    for block in (Paragraph(amount), Points([amount]), Facts([Fact("n", amount)])):
        assert shown in block._repr_html_()


def test_a_wide_table_names_its_parts():
    cell = Cell("+1", "of the mean", interval="0 to 2")
    source = Table("c", ["metric", "lift"], [["a", cell]], numeric=[1], wide=True)._repr_html_()
    assert (
        '<td class="number" role="cell" data-label="lift">+1 <span class="interval">(0 to 2)</span>'
        '<br><span class="remark">of the mean</span></td>'
    ) in source
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader"):
        assert f'role="{role}"' in source


def test_rows_in_groups_have_a_head_each():
    groups = [Group(Cell(name, "primary"), [["b", "1"], ["c", "2"]]) for name in ("x", "y")]
    source = Table("c", ["arm", "lift"], groups=groups)._repr_html_()
    assert source.count("<tbody>") == 2
    head = 'x<br><span class="remark">primary</span>'
    line = f'<tr class="group"><th scope="rowgroup" colspan="2">{head}</th></tr>'
    assert source.count(line) == 1
    assert "role=" not in source.replace('role="region"', "")


def test_further_reasons_are_folded_under_their_label():
    verdict = Verdict("k", "t", "", "Ship", "It holds.", "good", reasons=["a"], more=["b", "c"])
    assert "<details" in verdict._repr_html_()
    assert '<p class="question">' not in verdict._repr_html_()
    few = Verdict("k", "t", "q?", "Ship", "It holds.", "good", reasons=["a"])._repr_html_()
    assert "<details" not in few
    assert '<p class="question">q?</p>' in few


def test_blocks_stand_in_order():
    source = html([Heading("One"), Paragraph("two"), Heading("Three", 3)])
    assert source == '<h2 id="one">One</h2>\n<p>two</p>\n<h3 id="three">Three</h3>'


@pytest.mark.parametrize("anchor", ["1a", "a b", "é", "#a"])
def test_an_anchor_is_a_plain_name(anchor):
    with pytest.raises(ValueError, match="is no anchor"):
        Cell("x", anchor=anchor)
