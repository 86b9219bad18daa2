"""What a cell says where no style reaches it: the record's numbers, and no two words in one."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from opslab import experiments, report, workspace
from opslab.messages import LANGUAGES

INLINE = {"span", "strong", "em", "a", "code"}
NUMBER = re.compile(r"[+\N{MINUS SIGN}]?\d[\d,. \N{NARROW NO-BREAK SPACE}]*")
WORDS = {
    "en": ("primary", "secondary", "guardrail", "11 of 11 checks passed", "12,000"),
    "fr": (
        *("principale", "secondaire", "garde-fou", "11 contrôles sur 11 réussis"),
        "12\N{NARROW NO-BREAK SPACE}000",
    ),
}


class Unstyled(HTMLParser):
    """A cell's HTML as a browser shows it without any style.

    Attributes
    ----------
    lines : list of str
        What stands on a line of its own.
    rows : list of list of str
        The cells of every row of a table.
    glued : list of (str, str)
        Pieces of text that meet without anything between them.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.lines, self.rows, self.glued = [""], [], []
        self.hidden, self.inside = 0, 0  # depth in styles, and in cells of a table
        self.feed(re.sub(r' (style|class)="[^"]*"', "", source))

    def handle_starttag(self, tag, attrs):
        self.hidden += tag == "style"
        if tag not in INLINE:
            self.lines.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside += 1

    def handle_endtag(self, tag):
        self.hidden -= tag == "style"
        self.inside -= tag in ("td", "th")
        if tag not in INLINE:
            self.lines.append("")

    def handle_data(self, data):
        if self.hidden:
            return
        before = self.lines[-1]
        if re.search(r"[\w%]$", before) and re.match(r"[\w+\N{MINUS SIGN}]", data):
            self.glued.append((before, data))
        self.lines[-1] += data
        if self.inside:
            self.rows[-1][-1] += f" {data}" if not before else data

    def row(self, head):
        """Return the cells of the first row whose head starts so."""
        return next(row for row in self.rows if row[0].strip().startswith(head))


def numbers_in(text, language):
    """Yield every number of a text with half of its last digit."""
    for found in NUMBER.findall(text):
        written = found.strip(",. ").replace("\N{MINUS SIGN}", "-")
        written = written.replace("," if language == "en" else "\N{NARROW NO-BREAK SPACE}", "")
        written = written.replace("," if language == "fr" else ".", ".").replace(" ", "")
        yield float(written), 0.5 * 10.0 ** -len(written.partition(".")[2])


def same(text, values, language):
    """Assert that a text holds these numbers, in this order, as exactly as it writes them."""
    written = list(numbers_in(text, language))
    assert len(written) == len(values), (text, values)
    for (number, half), value in zip(written, values, strict=True):
        assert number == pytest.approx(value, abs=half * 1.0001), (text, values)


@pytest.fixture(scope="module", params=LANGUAGES)
def cells(request):
    """The language, the record with the names it tells, and what every cell displays, by part."""
    experiment = experiments.Experiment.load(workspace.resolve("data/sample/checkout.yaml"))
    day = experiment.last_day
    result = experiments.analyze(experiment, as_of=day, language=request.param)
    displayed: dict[str, list[str]] = {}

    def display(data, *, metadata, raw):
        displayed[part].append(data.get("text/html", ""))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", display)
        for part in result.PARTS:
            displayed[part] = []
            getattr(result, part)._ipython_display_()
        part = "publish"
        displayed[part] = []
        report.publish(result)
    record, say = result.record(), result.voice(request.param)
    named = {metric.name: say.spoken(metric.name) for metric in experiment.metrics}
    for one in record["comparisons"]:
        one["metric"] = named[one["metric"]]
    for one in record["arms"]:
        one["name"] = say.spoken(experiment.arms.shown(one["name"]))
    return (
        request.param,
        record,
        {name: Unstyled("\n".join(sources)) for name, sources in displayed.items()},
    )


def test_no_two_words_are_glued(cells):
    language, _, shown = cells
    for name, cell in shown.items():
        assert cell.glued == [], name
    text = "\n".join(line for cell in shown.values() for line in cell.lines)
    for word in WORDS[language]:
        assert re.search(rf"(^|\W){re.escape(word)}", text, re.MULTILINE), word


def test_glued_words_would_be_found():
    assert Unstyled("<tr><td><span>11.6%</span><span>9.5%</span></td></tr>").glued
    assert Unstyled("<p>checkout<span>primary</span></p>").glued
    assert not Unstyled("<p>checkout<br><span>primary</span></p>").glued


def test_the_styles_are_what_is_left_out(cells):
    for cell in cells[2].values():
        assert "{" not in "".join(cell.lines)


def test_effects_are_those_of_the_record(cells):
    language, record, shown = cells
    whole = [one for one in record["comparisons"] if one["segment"] is None]
    assert len(whole) == 3
    for one in whole:
        name, control, arm, difference, lift, p, adjusted, verdict = shown["effects"].row(
            one["metric"]
        )
        share = 100 if one["type"] == "proportion" else 1
        same(control, [share * one["estimate"]["control"]], language)
        same(arm, [share * one["estimate"]["arm"]], language)
        low, high = one["difference_interval"].values()
        same(difference, [share * amount for amount in (one["difference"], low, high)], language)
        low, high = one["lift_interval"].values()
        same(lift, [100 * amount for amount in (one["lift"], low, high)], language)
        assert re.search(r"\d \(.*\)$|% \(.*\)$", lift.replace("\N{NO-BREAK SPACE}", " ")), lift
        same(p, [one["p_value"]], language)
        if one["p_adjusted"] is not None:
            same(adjusted, [one["p_adjusted"]], language)
        assert name.split() != [one["metric"]]
        assert verdict


def test_segments_are_those_of_the_record(cells):
    language, record, shown = cells
    inside = [one for one in record["comparisons"] if one["segment"] is not None]
    rows = [row for row in shown["segments"].rows if ":" in row[0]]
    assert len(rows) == len(inside) == 14
    for one, (name, units, difference, lift, p, adjusted) in zip(inside, rows, strict=True):
        assert name.strip() == one["segment"]
        same(units, [sum(one["n"].values())], language)
        share = 100 if one["type"] == "proportion" else 1
        values = (one["difference"], *one["difference_interval"].values())
        same(difference, [share * amount for amount in values], language)
        values = (one["lift"], *one["lift_interval"].values())
        same(lift, [100 * amount for amount in values], language)
        same(p, [one["p_value"]], language)
        same(adjusted, [one["p_adjusted"]], language)


def test_counts_are_those_of_the_record(cells):
    language, record, shown = cells
    for arm in record["arms"]:
        share = 100 * arm["units"] / sum(other["units"] for other in record["arms"])
        expected = [arm["units"], share, 100 * arm["expected"]]
        for part in ("arms", "checks"):
            _, *counts = shown[part].row(arm["name"])
            same(" ; ".join(counts), expected, language)
    for one in record["comparisons"][:3]:
        _, *counts = shown["data"].row(one["metric"])
        pairs = (one["missing"], one["n"])
        expected = [pair[side] for pair in pairs for side in ("control", "arm")]
        same(" ; ".join(counts), expected, language)
    assert len(shown["checks"].rows) == 1 + len(record["checks"]) + 1 + len(record["arms"])


def test_the_first_screen_holds_the_effect_with_its_interval(cells):
    language, record, shown = cells
    first = record["comparisons"][0]
    lines = [line for line in shown["publish"].lines if line]
    start = lines.index(first["metric"])  # then its lift, the level, the interval, a line each
    same(lines[start + 1], [100 * first["lift"]], language)
    values = [100 * amount for amount in first["lift_interval"].values()]
    same(lines[start + 3], values, language)
