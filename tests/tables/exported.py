"""What the tests of exports share: a file made of its content, how it was read, the words of a refusal."""

import csv
import io
import json
import re

import pandas as pd
import pytest

from opslab.errors import OpslabError
from opslab.tables import Answers, read_export

ENGLISH = re.compile(
    r"\b(the|this|is|are|of|and|there|which|with|written|has|have|not|say|it)\b", re.IGNORECASE
)


def quoted_csv(*rows):
    """Return rows with every cell in quotes, so that nothing in a cell can part columns."""
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    return stream.getvalue()


def read(folder, content, name="export.csv", *, personal="keep", **answers):
    """Return frame and reading of an export; no profile is looked for unless the answers name one."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    frame, reading = read_export(
        path, answers=Answers(**{"profile": "none", **answers}), personal=personal
    )
    assert frame.shape == (reading.rows, reading.columns)
    json.dumps(reading.record(), allow_nan=False)
    return frame, reading


def values(column):
    """Return a column's cells with None for every kind of nothing."""
    return [None if not isinstance(cell, list) and pd.isna(cell) else cell for cell in column]


def columns(folder, given, **answers):
    """Return the values of columns of cells by their headings, and the reading."""
    rows = zip(*given.values(), strict=True)
    frame, reading = read(folder, quoted_csv(tuple(given), *rows), **answers)
    assert list(frame) == list(given)
    return {name: values(frame[name]) for name in frame}, reading


def cells(folder, *given, **answers):
    """Return the values of one column ``x``, beside the numbers of its rows, and the reading."""
    numbers = [str(number) for number in range(1, len(given) + 1)]
    found, reading = columns(folder, {"row": numbers, "x": given}, **answers)
    assert found["row"] == list(map(int, numbers))
    return found["x"], reading


def decided(reading, column=None):
    """Return what was decided about a column, or about the file: the values by the name of the message."""
    return {
        one.key.removeprefix("tables."): dict(one.values)
        for one in reading.decisions
        if one.column == column
    }


def assumed(reading):
    """Return the names of the messages of what was assumed."""
    return [one.key.removeprefix("tables.") for one in reading.decisions if one.assumed]


def rejected(reading):
    """Return the rows that were left out, each with the name of its reason."""
    return [(one.row, one.key.removeprefix("tables.")) for one in reading.rejections]


def refusal(call, *keys, engine=False):
    """Return the error of a call, after checking its messages and what holds for each of them.

    ``engine`` allows for words of the engine, which are English in any language.
    """
    with pytest.raises(OpslabError) as caught:
        call()
    error = caught.value
    found = [problem.key.removeprefix("tables.") for problem in error.problems]
    assert found == list(keys), error.text()
    assert error.exit_code == 2
    for language in ("en", "fr"):
        said = error.text(language)
        assert said.count("\n") == len(keys) - 1, said
        assert not re.search(r"Traceback|/tmp|\btables\.\w", said), said
    assert error.text("fr") != error.text("en")
    assert engine or not ENGLISH.search(error.text("fr")), error.text("fr")
    return error


def refused(folder, content, *keys, engine=False, **options):
    """Return the error of an export that is not read."""
    return refusal(lambda: read(folder, content, **options), *keys, engine=engine)
