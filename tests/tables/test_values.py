"""Cells in the context of a column: amounts, durations and instants are read right, told or asked."""

import datetime
import email.utils
from typing import NamedTuple

import dateutil.parser
import pandas as pd
import pytest
from babel.numbers import format_currency
from exported import assumed, decided, refusal, values
from hypothesis import given, settings
from hypothesis import strategies as st

from opslab.tables import Answers, open_table
from opslab.tables.column_kinds import Wanted
from opslab.tables.columns import typed
from opslab.tables.profiles import Column

FIRST = 1
"""Row of a frame's first cell in messages."""


def at(text):
    return datetime.datetime.fromisoformat(text)


class Case(NamedTuple):
    """A column: its heading, its cells, what it is declared as, and what is to come of it.

    ``told`` are the decisions behind it; ``expected`` is the question's name where it is a text.
    """

    heading: str
    cells: list
    expected: object
    told: tuple = ()
    kind: str | None = None
    unit: str | None = None
    answers: dict | None = None


def column(case, **options):
    """Return the values of a column and its reading."""
    facts = {"headers": ("*",)}
    facts |= {"kind": case.kind} if case.kind else {}
    facts |= {"unit": case.unit} if case.unit else {}
    wanted = Wanted(
        "x", (case.heading,), case.kind, column=Column(**facts, **options.pop("column", {}))
    )
    frame = pd.DataFrame({case.heading: pd.Series(case.cells, dtype=object)})
    with open_table(frame) as table:
        made = typed(table, [wanted], Answers(**(case.answers or {})), **options)
        return values(made.frame()["x"]), made.reading


NUMBER = {"kind": "number"}
DURATION = {"kind": "duration"}
MINUTES = {"kind": "duration", "unit": "minutes"}
SECONDS = {"kind": "duration", "unit": "seconds"}
DATETIME = {"kind": "datetime"}
DATE = {"kind": "date"}
SAME = object()
"""The column stays as it was written."""

AMOUNTS = {
    "dollars": Case(
        "revenue",
        ["$12.50", "$1,200.00", "$0.00"],
        [12.5, 1200, 0],
        ("decided_currency", "decided_decimal"),
    ),
    "euros behind": Case(
        "revenue",
        ["12,50 €", "1 200,00 €", "0,00 €", "1\u202f200,00\u00a0€"],
        [12.5, 1200, 0, 1200],
        ("decided_currency", "decided_decimal"),
    ),
    "pounds": Case(
        "x",
        ["£5", "£ 1,250.75", "-£3", "£-4"],
        [5, 1250.75, -3, -4],
        ("decided_currency", "decided_decimal"),
    ),
    "codes": Case(
        "x",
        ["USD 5", "7.5 USD", "USD7.25", "8usd"],
        [5, 7.5, 7.25, 8],
        ("decided_currency", "decided_decimal"),
    ),
    "Swiss francs": Case(
        "x", ["CHF 1'234.50", "CHF 12.00"], [1234.5, 12], ("decided_currency", "decided_decimal")
    ),
    "crowns": Case("x", ["5 kr", "1 250 kr", "kr 7"], [5, 1250, 7], ("decided_currency",)),
    "euro and EUR are one": Case("x", ["€5", "5 EUR", "5 €"], [5, 5, 5], ("decided_currency",)),
    "sign and code": Case(
        "x",
        ["$5.25 USD", "$6.50 USD", "USD 7.75"],
        [5.25, 6.5, 7.75],
        ("decided_currency", "decided_decimal"),
    ),
    "one sign, two codes": Case("x", ["$5.25 USD", "$6.50 CAD"], "mixed_currencies", **NUMBER),
    "some without": Case(
        "x", ["$5.50", "6.25", "7.75"], [5.5, 6.25, 7.75], ("decided_currency", "decided_decimal")
    ),
    "accounting": Case(
        "cost",
        ["1,200.50", "(300.25)", "80.75"],
        [1200.5, -300.25, 80.75],
        ("decided_bracketed", "decided_decimal"),
    ),
    "accounting dollars": Case(
        "x",
        ["($300.25)", "$(1.50)", "$5.00"],
        [-300.25, -1.5, 5],
        ("decided_bracketed", "decided_currency", "decided_decimal"),
    ),
    "trailing minus": Case("x", ["5-", "6", "1.250,75-"], [-5, 6, -1250.75], ("decided_decimal",)),
    "thousands": Case(
        "x",
        ["12k", "1.25M", "3.5K", "2bn"],
        [12e3, 1.25e6, 3.5e3, 2e9],
        ("decided_powers", "decided_decimal"),
    ),
    "French thousands": Case(
        "x",
        ["12 k€", "1,25 M€", "3,5 k€"],
        [12e3, 1.25e6, 3.5e3],
        ("decided_powers", "decided_decimal", "decided_currency"),
    ),
    "German millions": Case(
        "x",
        ["1,25 Mio. €", "2,5 Mrd. €"],
        [1.25e6, 2.5e9],
        ("decided_powers", "decided_decimal", "decided_currency"),
    ),
    "no letter of a currency multiplies": Case(
        "x", ["12 MXN", "5 MXN"], [12, 5], ("decided_currency",)
    ),
    "a small m is no million": Case("length", ["5m", "12m", "7m"], SAME, ("decided_kept_text",)),
    "percent": Case("x", ["80 %", "12.5%"], [0.8, 0.125], ("decided_percent", "decided_decimal")),
    "declared dollars": Case(
        "x", ["$1,200.00", "$60.00"], [1200, 60], ("decided_currency", "decided_decimal"), **NUMBER
    ),
    "unclear dollars": Case("x", ["$1,200", "$5,300"], "ask_decimal", **NUMBER),
    "unclear dollars, answered": Case(
        "x",
        ["$1,200", "$5,300"],
        [1200, 5300],
        ("decided_currency", "decided_decimal_answer"),
        "number",
        None,
        {"decimal": "point"},
    ),
    "mixed": Case("x", ["$5", "€6", "$7"], "mixed_currencies", **NUMBER),
    "mixed dollars": Case("x", ["$5", "US$6", "CA$7"], "mixed_currencies", **NUMBER),
    "mixed, undeclared": Case("x", ["$5", "€6", "$7"], SAME, ("decided_kept_text",)),
    "odd signs": Case("x", ["5", "(-6)", "(7", "8)", "--9", "-5-", "$", "1,23,456", "12 34"], SAME),
    "half a bracket is lost, told": Case(
        "x", ["5", "6", "7", "(8"], [5, 6, 7, None], ("decided_emptied",), **NUMBER
    ),
    "twenty digits": Case(
        "x", ["12", "12345678901234567890", "7"], [12, None, 7], ("decided_emptied",), **NUMBER
    ),
    "sixteen digits, undeclared": Case("x", ["12", "1234567890123456", "7"], SAME),
    "float with all its digits": Case(
        "x", ["0.12345678901234567", "2.5"], [0.12345678901234567, 2.5]
    ),
}

DURATIONS = {
    "hours with a mark": Case(
        "x", ["1.5h", "1,5 h", "2 h", "0.25 hours"], [1.5, 1.5, 2, 0.25], **DURATION
    ),
    "in words": Case(
        "x",
        [
            "1h 30m",
            "1h30",
            "1 h 30 min",
            "45m",
            "90 min",
            "2 hours 5 minutes",
            "2 hours, 30 minutes",
            "-1h 30m",
            "30 s",
            "1 heure et 30 minutes",
            "2 Std. 30 Min.",
        ],
        [1.5, 1.5, 1.5, 0.75, 1.5, 2 + 5 / 60, 2.5, -1.5, 30 / 3600, 1.5, 2.5],
        **DURATION,
    ),
    "ISO 8601": Case(
        "x",
        ["PT1H30M", "PT45M", "PT0.5S", "P1DT2H", "PT36H", "pt5m30s"],
        [1.5, 0.75, 0.5 / 3600, 26, 36, 5.5 / 60],
        **DURATION,
    ),
    "Jira": Case(
        "x",
        ["1d 4h", "2w 1d", "38h", "2h 30m", "1w"],
        [12, 88, 38, 2.5, 40],
        ("decided_days",),
        **SECONDS,
    ),
    "clocks of hours": Case(
        "x", ["5:30", "26:00:00", "-1:15", "0:00:36"], [5.5, 26, -1.25, 0.01], **DURATION
    ),
    "clocks of minutes": Case(
        "x",
        ["5:30", "45:10", "12", "01:30:00"],
        [5.5 / 60, (45 + 10 / 60) / 60, 0.2, 1.5],
        ("decided_clocks",),
        **MINUTES,
    ),
    "minutes by the heading": Case(
        "Wait (min)",
        ["5:30", "45:10", "12"],
        [5.5 / 60, (45 + 10 / 60) / 60, 0.2],
        ("decided_unit", "decided_clocks"),
        **DURATION,
    ),
    "a profile's unit holds": Case(
        "Wait (min)", ["5:30", "12"], [5.5, 12], (), "duration", "hours"
    ),
    "minutes said in full": Case(
        "Time in minutes", ["90", "30"], [1.5, 0.5], ("decided_unit",), **DURATION
    ),
    "no clock of seconds": Case(
        "x",
        ["5:30", "90", "3600", "01:00:00"],
        [None, 0.025, 1, 1],
        ("decided_emptied",),
        **SECONDS,
    ),
    "no percent": Case(
        "x",
        ["80%", "1.5", "2.5"],
        [None, 1.5, 2.5],
        ("decided_decimal", "decided_emptied"),
        **DURATION,
    ),
    "no money": Case(
        "x",
        ["$5", "5k", "(3)", "2.5"],
        [None, None, None, 2.5],
        ("decided_decimal", "decided_emptied"),
        **DURATION,
    ),
    "no milliseconds": Case("x", ["500 ms", "1h"], [None, 1], ("decided_emptied",), **DURATION),
    "undeclared words": Case("x", ["1h 30m", "45m", "PT1H"], SAME, ("decided_kept_text",)),
    "unclear": Case("x", ["01:30:00", "1,234"], "ask_decimal", **DURATION),
}

PARIS = {"timezone": "Europe/Paris"}
INSTANTS = {
    "Unix seconds": Case(
        "created_at",
        ["1773482400", "1773568800.5"],
        [at("2026-03-14T10:00"), at("2026-03-15T10:00:00.500")],
        ("decided_seconds",),
    ),
    "Unix milliseconds": Case(
        "Timestamp",
        ["1773482400000", "1773568800500"],
        [at("2026-03-14T10:00"), at("2026-03-15T10:00:00.500")],
        ("decided_milliseconds",),
    ),
    "camel case": Case("createdAt", ["1773482400"], [at("2026-03-14T10:00")], ("decided_seconds",)),
    "numbers below another heading": Case("amount", ["1773482400", "5"], [1773482400, 5]),
    "a load time": Case("Load time", ["45000", "46000"], [45000, 46000]),
    "a person": Case("created_by_id", ["1203456789", "1203456790"], [1203456789, 1203456790]),
    "a telephone": Case("Phone", ["1203456789", "1203456790"], [1203456789, 1203456790]),
    "not all of this century": Case("time", ["1773482400", "12"], [1773482400, 12]),
    "declared Unix seconds": Case(
        "x", ["1773482400", None], [at("2026-03-14T10:00"), None], ("decided_seconds",), **DATETIME
    ),
    "declared Unix day": Case(
        "x", ["1773525600"], [at("2026-03-14")], ("decided_seconds",), **DATE
    ),
    "Unix beside local times": Case(
        "x", ["1773482400", "2026-03-14 10:00"], "ask_timezone", **DATETIME
    ),
    "Unix beside local times, answered": Case(
        "x",
        ["1773482400", "2026-03-14 10:00"],
        [at("2026-03-14T10:00"), at("2026-03-14T09:00")],
        ("decided_seconds", "decided_zone"),
        "datetime",
        None,
        PARIS,
    ),
    "serials": Case(
        "x",
        ["46084", "46084.5"],
        [at("2026-03-03"), at("2026-03-03T12:00")],
        ("decided_serials",),
        **DATETIME,
    ),
    "serial days": Case(
        "x",
        ["46084", "2026-03-04"],
        [at("2026-03-03"), at("2026-03-04")],
        ("decided_serials",),
        **DATE,
    ),
    "serials by the heading": Case(
        "Due date", ["46084", "46085"], [at("2026-03-03"), at("2026-03-04")], ("decided_serials",)
    ),
    "compact": Case(
        "x",
        ["20260305", "20241231"],
        [at("2026-03-05"), at("2024-12-31")],
        ("decided_compact",),
        **DATE,
    ),
    "compact by the heading": Case(
        "Date", ["20260305", "20241231"], [at("2026-03-05"), at("2024-12-31")], ("decided_compact",)
    ),
    "compact numbers": Case("id", ["20260305", "20241231"], [20260305, 20241231]),
    "no such compact day": Case(
        "x",
        ["20260231", "20260301"],
        [None, at("2026-03-01")],
        ("decided_compact", "decided_emptied"),
        **DATE,
    ),
    "GMT and hours": Case(
        "x",
        ["2026/09/27 3:00:00 PM GMT+3", "2026/09/28 9:02:00 AM GMT+3"],
        [at("2026-09-27T12:00"), at("2026-09-28T06:02")],
        ("decided_offsets",),
    ),
    "UTC and minutes": Case(
        "x",
        ["2026-03-04 10:00 UTC+02:00", "2026-03-04 10:00:00 UTC-3"],
        [at("2026-03-04T08:00"), at("2026-03-04T13:00")],
        ("decided_offsets",),
    ),
    "bare offsets": Case(
        "x",
        ["2026-08-01 09:12:00 -0700", "2026-08-01 09:12 +0300", "2026-08-01T09:12:00+05:30"],
        [at("2026-08-01T16:12"), at("2026-08-01T06:12"), at("2026-08-01T03:42")],
        ("decided_offsets",),
    ),
    "an offset behind a local notation": Case(
        "x",
        ["25/03/2026 10:00 +0100", "26.03.2026 10:00:00 Z"],
        [at("2026-03-25T09:00"), at("2026-03-26T10:00")],
        ("decided_first", "decided_offsets"),
    ),
    "mail": Case(
        "x",
        [
            "Tue, 03 Mar 2026 10:00:00 +0100",
            "Wed, 4 Mar 2026 10:00:00 GMT",
            "Wed, 4 Mar 2026 10:00:00 -0800 (PST)",
        ],
        [at("2026-03-03T09:00"), at("2026-03-04T10:00"), at("2026-03-04T18:00")],
        ("decided_offsets",),
    ),
    "American": Case(
        "x",
        ["08/01/2026 09:12:00 AM", "08/13/2026 12:05:00 PM"],
        [at("2026-08-01T09:12"), at("2026-08-13T12:05")],
        ("decided_first", "decided_local"),
    ),
    "German": Case(
        "x",
        [
            "3. März 2026",
            "04. Mai 2026",
            "5 Okt 2026",
            "6. Dez. 2026",
            "7. Januar 2026",
            "Mittwoch, 8. Juli 2026",
            "9.Juni 2026",
            "10. Maerz 2026",
        ],
        [
            at("2026-03-03"),
            at("2026-05-04"),
            at("2026-10-05"),
            at("2026-12-06"),
            at("2026-01-07"),
            at("2026-07-08"),
            at("2026-06-09"),
            at("2026-03-10"),
        ],
    ),
    "German times": Case(
        "x",
        ["3. März 2026 um 10:05 Uhr", "24.10.2026, 11:02 Uhr"],
        [at("2026-03-03T10:05"), at("2026-10-24T11:02")],
        ("decided_first", "decided_local"),
    ),
    "weeks of a year are none": Case("x", ["2026-W10", "2026-W11"], SAME),
    "days with an offset's look": Case(
        "x", ["2026-03-04", "2026-12-07"], [at("2026-03-04"), at("2026-12-07")]
    ),
    "unclear": Case("x", ["04/03/2026", "05/03/2026"], "ask_day_first", **DATE),
}

TRUE_DATES = ["2026-03-04", "13/04/2026", "2026-05-06", "14/04/2026"]
AMERICAN = ["2026-03-04 10:00:00", "04/13/2026 11:00:00"]
SWAPPED = {
    "true dates beside text": Case("x", TRUE_DATES, "ask_swapped_dates", **DATE),
    "true times beside text": Case("x", AMERICAN, "ask_swapped_dates", **DATETIME),
    "undeclared": Case("x", TRUE_DATES, SAME, ("decided_kept_text",)),
    "swapped back": Case(
        "x",
        TRUE_DATES,
        [at("2026-04-03"), at("2026-04-13"), at("2026-06-05"), at("2026-04-14")],
        ("decided_first", "decided_swapped"),
        "date",
        None,
        {"swapped_dates": True},
    ),
    "right as they are": Case(
        "x",
        TRUE_DATES,
        [at("2026-03-04"), at("2026-04-13"), at("2026-05-06"), at("2026-04-14")],
        ("decided_first",),
        "date",
        None,
        {"swapped_dates": False},
    ),
    "times swapped back": Case(
        "x",
        AMERICAN,
        [at("2026-04-03T10:00"), at("2026-04-13T11:00")],
        ("decided_first", "decided_local", "decided_swapped"),
        "datetime",
        None,
        {"swapped_dates": True},
    ),
    "a true date above 12": Case(
        "x",
        [*TRUE_DATES, "2026-05-13"],
        [at("2026-03-04"), at("2026-04-13"), at("2026-05-06"), at("2026-04-14"), at("2026-05-13")],
        ("decided_first",),
        **DATE,
    ),
    "a text date with both parts low": Case(
        "x",
        [*TRUE_DATES, "05/06/2026"],
        [at("2026-03-04"), at("2026-04-13"), at("2026-05-06"), at("2026-04-14"), at("2026-06-05")],
        ("decided_first",),
        **DATE,
    ),
}

MANY = [str(number) for number in range(10, 19)]
MISFITS = {
    "nearly numbers": Case("x", [*MANY, "about 9"], SAME, ("decided_nearly",)),
    "nearly amounts": Case(
        "x", [*(f"${cell}.50" for cell in MANY), "free"], SAME, ("decided_nearly",)
    ),
    "nearly dates": Case(
        "x", [*(f"2026-03-{cell}" for cell in MANY), "soon"], SAME, ("decided_nearly",)
    ),
    "nearly dates, one bare": Case(
        "x", [*(f"2026-03-{cell}" for cell in MANY), "20260305"], SAME, ("decided_nearly",)
    ),
    "mostly texts": Case("x", ["a", "b", "c", *MANY[:4]], SAME),
    "a code among numbers": Case("x", [*MANY, "007"], SAME, ("decided_nearly",)),
}
CASES = {**AMOUNTS, **DURATIONS, **INSTANTS, **SWAPPED, **MISFITS}


def test_the_table_is_long_enough():
    assert sum(len(case.cells) for case in CASES.values()) >= 150


@pytest.mark.parametrize("name", CASES)
def test_cells_in_their_column(name):
    case = CASES[name]
    if isinstance(case.expected, str) and not case.expected.startswith("decided"):
        refusal(lambda: column(case), case.expected)
        return
    found, reading = column(case)
    if case.expected is SAME:
        assert found == case.cells
    else:
        dated = any(isinstance(value, datetime.datetime) for value in case.expected)
        assert found == (case.expected if dated else pytest.approx(case.expected))
    told = {decision.key.removeprefix("tables.") for decision in reading.decisions}
    assert told == set(case.told)


# --- Loss


def test_a_column_that_loses_all_its_cells_is_refused():
    error = refusal(
        lambda: column(Case("x", ["soon", "later", "never"], None, **NUMBER)), "lost_column"
    )
    assert (
        f"None of the 3 cells is of this column's kind, the first in row {FIRST} (“soon”)"
        in str(error)
    )


def test_a_required_column_may_lose_a_tenth_and_no_more():
    days = [f"2026-03-{day}" for day in range(10, 20)]
    required = {"column": {"required": True}}
    found, reading = column(Case("x", [*days, "soon"], None, **DATE), **required)
    assert (len(found), reading.rejected) == (10, 1)
    error = refusal(
        lambda: column(Case("x", [*days, "soon", "later"], None, **DATE), **required),
        "lost_required",
    )
    assert (
        f"2 of 12 cells are not of this column's kind, the first in row {FIRST + 10} (“soon”)"
        in str(error)
    )


def test_a_table_of_which_no_row_is_left_is_refused():
    frame = pd.DataFrame({"a": ["x", None], "b": [None, "y"]})
    wanted = [
        Wanted(name, (name,), "text", column=Column(headers=("*",), required=True)) for name in "ab"
    ]
    with open_table(frame) as table:
        refusal(lambda: typed(table, wanted, Answers()), "lost_rows")


def test_messages_show_the_cell_shortened_and_no_address():
    long = Case(
        "x",
        [1, 2, "a very long remark that nobody will ever want to read to its end"],
        None,
        **NUMBER,
    )
    _, reading = column(long)
    shown = decided(reading, "x")["decided_emptied"]["cell"]
    assert shown == "a very long remark that nobody will eve…"
    _, reading = column(Case("x", ["1", "2", "ask ana@example.test"], None, **NUMBER))
    assert decided(reading, "x")["decided_emptied"]["cell"] == "ask …"
    strict = Case("x", ["1", "oui"], None, **NUMBER)
    assert "(“oui”)" in str(refusal(lambda: column(strict, strict=True), "bad_cells"))


def test_misfits_below_the_sample_are_told():
    _, reading = column(Case("x", [*map(str, range(1_000)), "about 9"], None))
    told = decided(reading, "x")["decided_nearly"]
    assert (told["count"], told["row"], told["cell"]) == (1, FIRST + 1_000, "about 9")
    assert assumed(reading) == ["decided_nearly"]


# --- Beside others


@settings(max_examples=20, deadline=None)
@given(
    amounts=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=5),
    locale=st.sampled_from(["en_US", "fr_FR", "de_DE", "de_CH", "en_GB", "sv_SE"]),
    currency=st.sampled_from(["USD", "EUR", "GBP", "CHF", "SEK", "CAD"]),
)
def test_amounts_as_babel_writes_them(amounts, locale, currency):
    written = [format_currency(amount, currency, locale=locale) for amount in amounts]
    found, reading = column(Case("x", written, None, **NUMBER))
    assert found == [float(amount) for amount in amounts]
    assert decided(reading, "x")["decided_currency"]["count"] == len(amounts)


@settings(max_examples=20, deadline=None)
@given(
    moments=st.lists(
        st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2099, 1, 1)),  # noqa: DTZ001
        min_size=1,
        max_size=5,
    ),
    minutes=st.integers(-14 * 60, 14 * 60),
    form=st.sampled_from(["mail", "iso", "slashes", "epoch"]),
)
def test_instants_as_others_write_and_read_them(moments, minutes, form):
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    aware = [moment.replace(microsecond=0, tzinfo=zone) for moment in moments]
    written = {
        "mail": email.utils.format_datetime,
        "iso": datetime.datetime.isoformat,
        "slashes": lambda moment: moment.strftime("%Y/%m/%d %I:%M:%S %p %z"),
        "epoch": lambda moment: str(int(moment.timestamp())),
    }[form]
    texts = [written(moment) for moment in aware]
    expected = [moment.astimezone(datetime.UTC).replace(tzinfo=None) for moment in aware]
    if form != "epoch":
        read = [dateutil.parser.parse(text).astimezone(datetime.UTC) for text in texts]
        assert [moment.replace(tzinfo=None) for moment in read] == expected
    assert column(Case("x", texts, None, **DATETIME))[0] == expected


@settings(max_examples=20, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    form=st.sampled_from(["iso", "words", "clock"]),
)
def test_durations_in_every_form_are_the_same(seconds, form):
    def written(count):
        hours, minutes, rest = count // 3600, count // 60 % 60, count % 60
        if form == "iso":
            return pd.Timedelta(seconds=count).isoformat()
        if form == "words":
            return f"{hours} h {minutes} min {rest} s"
        return f"{hours}:{minutes:02}:{rest:02}"

    found, _ = column(Case("x", list(map(written, seconds)), None, **MINUTES))
    assert found == pytest.approx([count / 3600 for count in seconds])


@settings(max_examples=10, deadline=None)
@given(
    cells=st.lists(
        st.sampled_from(
            [
                "1,5",
                "2.5",
                "$3",
                "n/a",
                "7",
                "1,234",
                "80 %",
                "2026-03-04",
                "13/04/2026",
                "x",
                "(5)",
                "2k",
            ]
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_wide_table_is_read_as_a_narrow_one(cells):
    """Columns are weighed together beyond some number, and by themselves below it."""
    alone, reading = column(Case("x", cells, None))
    frame = pd.DataFrame({f"c{place}": pd.Series(cells, dtype=object) for place in range(60)})
    with open_table(frame) as table:
        together = typed(table, [Wanted(name, (name,)) for name in frame], Answers())
        assert [values(column) for _, column in together.frame().items()] == [alone] * 60
        told = [decision.key for decision in reading.decisions]
        assert [decision.key for decision in together.reading.decisions] == told * 60


def test_no_heading_is_taken_for_a_name_of_our_own(tmp_path):
    names = ["text", "cell", "bare", "nth", "value", "local", "day", "ccc", "given", "typed"]
    kinds = {"1,5": 1.5, "13/04/2026 10:00 +0200": at("2026-04-13T08:00"), "a": "a"}
    for written, expected in kinds.items():
        frame = pd.DataFrame({name: [written, written] for name in names})
        with open_table(frame) as table:
            wanted = [Wanted(name, (name,)) for name in names]
            made = typed(table, wanted, Answers(timezone="Europe/Paris"))
            assert made.frame().iloc[1].to_list() == [expected] * len(names)
