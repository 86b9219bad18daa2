"""What is read at a glance is what the slow way reads, and nothing else is read so."""

import itertools

import duckdb
import pytest

from opslab.tables import dates, numbers
from opslab.tables.dates import DateEvidence, Order
from opslab.tables.numbers import NumberEvidence
from opslab.tables.source import literal

DAYS = ["2025-03-04", "03/04/2025", "25/03/2025", "03/25/2025", "31/02/2025", "3/4/2025", "3/4/25"]
DAYS += ["2025-13-04", "0001-01-01", "2025/03/04", "03.04.2025", "03-04-2025"]
CLOCKS = [
    "",
    " 09:05:06",
    " 9:05",
    " 09:05",
    " 09:05:06 PM",
    " 09:05 AM",
    " 12:00:00 AM",
    " 13:00 PM",
]
CLOCKS += [" 24:00:00", " 09:60", " 09:05:06 pm", " 02:30:00", " 00:00:00 AM", "T09:05:06Z"]
NUMBERS = "0 7 12.50 007 1.234 1,234 -3 1e3 12% 1234567890 0.1234567 .5 5. 1_000 €3 00:40:00 5:30"
NUMBERS += " 100:00:00 1000:00:00 00:60:00 -00:40:00 01:30:00.5 Yes no TRUE Oui vrai N y x"


def both(texts, quick, slow, bare):
    read = dates.once("cell", numbers.plain("text"), dates.once("bare", bare, slow))
    listed = ", ".join(f"({literal(text)})" for text in texts)
    sql = f"SELECT text, {quick}, {read} FROM (VALUES {listed}) AS t(text)"
    return duckdb.connect().execute(sql).fetchall()


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
@pytest.mark.parametrize("order", [Order(day_first=True), Order(False), Order(True, swapped=True)])
def test_times(order, zone):
    texts = [day + clock for day, clock in itertools.product(DAYS, CLOCKS)]
    rows = both(texts, dates.quick(order, zone), dates.moment(order, zone), DateEvidence.sql()[0])
    assert [(text, quick) for text, quick, _ in rows if quick is not None] == [
        (text, slow) for text, quick, slow in rows if quick is not None
    ]
    assert sum(quick is not None for _, quick, _ in rows) >= 8


@pytest.mark.parametrize(
    ("quick", "slow"),
    [
        (numbers.quick_hours(), numbers.hours("point", "hours")),
        (numbers.QUICK, numbers.number("point")),
        (numbers.truth("lower(text)"), numbers.truth()),
    ],
    ids=["hours", "numbers", "truths"],
)
def test_durations_numbers_and_truths(quick, slow):
    rows = both(NUMBERS.split(), quick, slow, NumberEvidence.sql()[0])
    seen = [(text, value, other) for text, value, other in rows if value is not None]
    assert all(value == other for _, value, other in seen), seen
    assert 2 <= len(seen) < len(rows)
