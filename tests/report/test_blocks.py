"""Blocks escape what comes in, and wide tables say in words what their tags say on paper."""

from __future__ import annotations

import pytest

from opslab.report import Cell, Facts, Group, Pairs, Paragraph, Points, Table, Verdict

NASTY = "<script>&\"'"
SHOWN = "&lt;script&gt;&amp;&#34;&#39;"


@pytest.mark.parametrize(
    "block",
    [
        Paragraph(NASTY, small=True),
        Points([NASTY]),
        Pairs([(NASTY, NASTY)]),
        Facts([(NASTY, NASTY, [NASTY])]),
        Table(NASTY, [NASTY, NASTY], [[NASTY, Cell(NASTY, NASTY, "bad")]], wide=True),
        Table(NASTY, [NASTY], groups=[Group(Cell(NASTY, NASTY), [[NASTY]])]),
        Verdict(NASTY, NASTY, NASTY, NASTY, NASTY, "good", Facts(()), [NASTY], (NASTY, [NASTY])),
    ],
    ids=lambda block: type(block).__name__,
)
def test_text_stays_text(block):
    source = block._repr_html_()
    assert "<script" not in source
    assert SHOWN in source


def test_blocks_without_content_leave_nothing():
    assert [block._repr_html_() for block in (Points([]), Pairs([]), Facts([]))] == ["", "", ""]


def test_a_wide_table_names_its_parts():
    source = Table(
        "c", ["metric", "lift"], [["a", Cell("+1", "0 to 2")]], numeric=[1], wide=True
    )._repr_html_()
    assert (
        '<td role="cell" class="number" data-label="lift">+1<span class="remark">0 to 2</span></td>'
        in source
    )
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader"):
        assert f'role="{role}"' in source


def test_rows_in_groups_have_a_head_each():
    groups = [Group(Cell(name, "primary"), [["b", "1"], ["c", "2"]]) for name in ("x", "y")]
    source = Table("c", ["arm", "lift"], groups=groups)._repr_html_()
    assert source.count("<tbody>") == 2
    assert (
        source.count(
            '<tr class="group"><th scope="rowgroup" colspan="2">x<span class="remark">primary</span></th></tr>'
        )
        == 1
    )
    assert "role=" not in source.replace('role="region"', "")
