"""The styles: one source for page and cells; a cell's style reaches nothing outside."""

from __future__ import annotations

import re

from opslab.report.styles import cell_style, page_style

NAMES = r"--[a-z-]+"


def test_colours_are_the_same_on_the_page_and_in_a_cell_light_and_dark():
    for style in (page_style(), cell_style()):
        colours = dict[str, set[str]]()
        for name, colour in re.findall(rf"({NAMES}):\s*(#\w+)", style):
            colours.setdefault(name, set()).add(colour)
        assert {"--ink", "--soft", "--line", "--paper", "--good", "--bad", "--open"} <= set(colours)
        assert {"#1b2230", "#e8ebef"} <= colours["--ink"]
        used = set(re.findall(rf"var\(({NAMES})\)", style))
        assert used <= set(colours)


def test_nothing_is_left_to_be_filled_or_fetched():
    for style in (page_style(), cell_style()):
        assert "/*" not in style
        assert "url(" not in style
        assert "@import" not in style
        assert style.count("{") == style.count("}")


def outer_rules(style):
    """Yield the selectors of the rules that stand in no other."""
    depth, selector = 0, ""
    for letter in style:
        if letter == "{":
            if depth == 0:
                yield selector.strip()
            depth += 1
        elif letter == "}":
            depth -= 1
            selector = ""
        elif depth == 0:
            selector += letter


def test_a_cells_style_reaches_nothing_outside_it():
    style = cell_style().removeprefix("<style>").removesuffix("</style>")
    selectors = [part for rule in outer_rules(style) for part in rule.split(",")]
    assert selectors
    assert all(part.strip().split()[-1].startswith(".opslab") for part in selectors)


def test_a_cells_own_rules_come_last_so_that_they_win():
    style = cell_style()
    assert style.index("margin-top: 3.6rem") < style.index("h2, h3 { margin-top: 0.4rem; }")
