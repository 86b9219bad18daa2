"""Mutated text files: each is refused with one message, or rows in are rows out and rows reported.

Where the file parses strictly, its records are counted by Python's csv module. Elsewhere nothing may
vanish: a word of the file is in a row, in a heading, or in a line that the reading reports.
"""

import csv
import io
import random
import re
import resource
from collections import Counter, defaultdict

import pytest

from opslab.errors import DataError
from opslab.tables import Answers, open_export, open_table
from opslab.tables.source import ROW, quoted

SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "caret": "^", "space": " "}
QUICK, ALL = 34, 334  # mutations of each base
LETTERS = "abcdefghiklmnoprstuvz0123456789 ,;|\t\"'.:-\n"
CPU_SECONDS, MEMORY_MIB = 10, 1024


def written(rows, sign=",", end="\n", quoting=csv.QUOTE_MINIMAL):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sign, lineterminator=end, quoting=quoting).writerows(rows)
    return stream.getvalue()


def bases():
    """Return six tables in which every row has words that no other row has."""
    numbers = range(1, 25)
    lines = [["key", "day", "hours", "text"]]
    lines += [[f"k{n}", f"2025-03-{n:02}", f"{n}.5", f"first{n}, then last{n}"] for n in numbers]
    french = [["clé", "jour", "heures", "texte"]]
    french += [[f"c{n}", f"{n:02}/03/2025", f"{n},50", f"déjà vu{n}"] for n in numbers]
    breaks = [["id", "subject", "body", "state"]]
    breaks += [
        [f"i{n}", f"topic{n}", f"dear{n}\nthe page{n} stops\nregards{n}", "open"] for n in numbers
    ]
    wide = [[f"h{column}" for column in range(40)]]
    wide += [[f"w{n}x{column}" for column in range(40)] for n in range(1, 13)]
    return {
        "comma": written(lines),
        "french": written(french, ";", "\r\n"),
        "tab": written([[cell.replace(",", "") for cell in row] for row in lines], "\t"),
        "breaks": written(breaks, quoting=csv.QUOTE_ALL),
        "column": written([["remark"], *([f"remark{n} of them"] for n in numbers)]),
        "wide": written(wide),
    }


BASES = bases()


def flipped(draw, text):
    places = [at for at, letter in enumerate(text) if letter.isascii()]
    at = draw.choice(places)
    return text[:at] + draw.choice(LETTERS) + text[at + 1 :]


def inserted(signs):
    def mutation(draw, text):
        at = draw.randrange(len(text) + 1)
        return text[:at] + draw.choice(signs) + text[at:]

    return mutation


def of_lines(change):
    def mutation(draw, text):
        lines = text.splitlines(keepends=True)
        change(draw, lines, draw.randrange(len(lines)), draw.randrange(len(lines)))
        return "".join(lines)

    return mutation


def deleted(draw, lines, at, other):
    del lines[at]


def duplicated(draw, lines, at, other):
    lines.insert(at, lines[at])


def swapped(draw, lines, at, other):
    lines[at], lines[other] = lines[other], lines[at]


def blank(draw, lines, at, other):
    lines.insert(at, draw.choice(["\n", "\r\n", "  \n", "\n\n"]))


def joined(draw, lines, at, other):
    lines[at] = lines[at].rstrip("\r\n")


def other_heading(draw, lines, at, other):
    cells = re.split("([,;\t])", lines[0])
    cells[2 * draw.randrange(len(cells) // 2 + 1)] = draw.choice(
        ["", '"x"y', "key", "  ", "7", '"']
    )
    lines[0] = "".join(cells) if lines[0].endswith("\n") else lines[0]
    if not lines[0].endswith("\n"):
        lines[0] += "\n"


def truncated(draw, text):
    return text[: draw.randrange(1, len(text))]


def other_ends(draw, text):
    end = draw.choice(["\r", "\n", "\r\n"])
    return re.sub("\r\n|\n", end, text)


MUTATIONS = (
    flipped,
    inserted(",;\t|"),
    inserted('"'),
    of_lines(deleted),
    of_lines(duplicated),
    of_lines(swapped),
    of_lines(blank),
    of_lines(joined),
    of_lines(other_heading),
    truncated,
    other_ends,
)


def mutated(base, seed):
    """Return a base with one to three mutations, the same for the same seed."""
    draw = random.Random(f"{base} {seed}")
    text = BASES[base]
    for mutation in draw.choices(MUTATIONS, k=draw.randint(1, 3)):
        text = mutation(draw, text) if len(text.splitlines()) > 1 else text
    return text


# --- What a file holds, counted without opslab


def strict_records(text, sign):
    """Return the records of a file that can be read in only one way, else None."""
    if sign is None:
        lines = re.split("\r\n|\r|\n", text)
        return None if '"' in text else [[line] for line in lines if line]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        records = [cells for cells in reader if cells]
    except csv.Error:
        return None
    # a quote inside a cell without quotes, and a cell that holds whole lines of the table
    unclear = re.search(f'[^{re.escape(sign)}\r\n"]"+[^{re.escape(sign)}\r\n"]', text)
    return None if unclear else records


def words(text):
    return Counter(re.findall(r"[^\W_]+", text))


def lost_lines(text, rows, headings):
    """Return the numbers of the lines with a word of their own that is in no row and no heading."""
    kept = words("\n".join(cell for row in [headings, *rows] for cell in row if cell))
    whole, lines = words(text), defaultdict(list)
    for number, line in enumerate(re.split("\r\n|\r|\n", text), 1):
        lines[line].append(number)
    lost = []
    for line, numbers in lines.items():
        own = [word for word, count in words(line).items() if whole[word] == count * len(numbers)]
        count = max(
            (-(-(whole[word] - kept[word]) // words(line)[word]) for word in own), default=0
        )
        lost += numbers[len(numbers) - max(count, 0) :]
    return sorted(lost)


def passed_over(reading):
    """Return how many lines the decisions about the whole file report."""
    values = [decision.values for decision in reading.decisions if decision.column is None]
    return sum(value.get("count", 1) for value in values)


def reported_lines(reading):
    lines = [rejection.values.get("line", rejection.row) for rejection in reading.rejections]
    return {near for line in lines for near in (line - 1, line, line + 1)}


def filled(rows):
    """Return the rows that hold anything, without spaces around their cells."""
    stripped = [tuple((cell or "").strip() for cell in row) for row in rows]
    return [row for row in stripped if any(row)]


def strict_defect(records, rows, rejected, more):
    """Return what is wrong with the rows of a file whose records are known."""
    if len(rows) + rejected + more < len(records) - 1:
        return f"{len(records)} records, {len(rows)} out, {rejected} rejected, {more} passed over"
    if len(rows) > len(records):
        return f"{len(records)} records, {len(rows)} out, {rejected} rejected"
    strange = Counter(rows) - Counter(records)
    return f"{min(strange)} is no record of the file" if strange else ""


def defect(text, rows, headings, reading, *, breaks=False):
    """Return what is wrong with a reading, or nothing."""
    records = strict_records(text, SIGNS.get(reading.delimiter))
    rejected, more = reading.rejected, passed_over(reading)
    if records is not None:
        return strict_defect(filled(records), filled(rows), rejected, more)
    lost = lost_lines(text, rows, headings)
    if len(lost) <= rejected + more:
        return ""
    # of a record of several lines the reading names a single line
    near = reported_lines(reading) if breaks else set()
    silent = [run for run in runs(lost) if near.isdisjoint(run)]
    return f"lines {silent} lost, {rejected} rejected, {more} passed over" if silent else ""


def runs(lines):
    """Return lines as ranges without gaps."""
    first = [line for line in lines if line - 1 not in lines]
    last = [line for line in lines if line + 1 not in lines]
    return [range(start, end + 1) for start, end in zip(first, last, strict=True)]


def judged(path, text, *, breaks=False):
    """Return how a file was read wrongly, or nothing; what was raised, if it was no refusal."""
    path.write_text(text, encoding="utf-8", newline="")
    answers = Answers(profile="none")
    try:
        with open_table(path, answers=answers, strict=False) as table:
            names = ", ".join(map(quoted, table.types))
            rows = table.fetch(f"SELECT {names} FROM {table.relation} ORDER BY {ROW}")
            headings = table.headings or tuple(table.types)
            wrong = defect(text, rows, headings, table.reading, breaks=breaks)
        with open_export(path, answers=answers) as export:
            if (export.reading.rows, export.reading.rejected) != (
                len(rows),
                table.reading.rejected,
            ):
                return f"{len(rows)} rows in the table, {export.reading.rows} in the export"
    except DataError as error:
        return "" if len(error.problems) == 1 else f"{len(error.problems)} problems"
    except Exception as error:  # noqa: BLE001 - anything else is a defect
        return f"{type(error).__name__}: {error}"
    return wrong


def defects(path, base, seeds):
    """Return the defects of some mutations by their seeds."""
    verdicts = {seed: judged(path, mutated(base, seed), breaks=base == "breaks") for seed in seeds}
    return {seed: wrong for seed, wrong in verdicts.items() if wrong}


def test_the_counter_itself_sees_lost_shifted_and_doubled_rows():
    text = BASES["comma"]
    header, *records = strict_records(text, ",")

    class Whole:
        delimiter, rejected, rejections, decisions = "comma", 0, (), ()

    assert not defect(text, records, header, Whole)
    assert "25 records, 23 out" in defect(text, records[1:], header, Whole)
    assert "no record" in defect(text, [row[::-1] for row in records], header, Whole)
    assert "25 records, 26 out" in defect(text, [header, header, *records], header, Whole)
    unclear = text.replace("k3,", 'k3",').replace("k9,", 'k9"-,')
    assert strict_records(unclear, ",") is None
    assert not defect(unclear, records, header, Whole)
    assert "lost" in defect(unclear, records[5:], header, Whole)


@pytest.mark.parametrize("base", BASES)
def test_rows_in_are_rows_out_and_rows_reported(tmp_path, base):
    assert defects(tmp_path / "export.csv", base, range(QUICK)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
def test_two_thousand_mutations_in_bounds(tmp_path, base):
    wrong = {}
    for seed in range(QUICK, ALL):
        before = resource.getrusage(resource.RUSAGE_SELF)
        wrong |= defects(tmp_path / "export.csv", base, [seed])
        after = resource.getrusage(resource.RUSAGE_SELF)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        grown = (after.ru_maxrss - before.ru_maxrss) / 1024
        if spent > CPU_SECONDS or grown > MEMORY_MIB:
            wrong[seed] = f"{spent:.1f} CPU s, {grown:.0f} MiB"
    assert wrong == {}
