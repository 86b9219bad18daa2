"""Which column of a table holds sentences, and which its ids, its dates and its customers."""

from __future__ import annotations

from typing import Any

from opslab.tables.profiles import TEXTS, flow, known_profiles
from opslab.tables.source import ROW, Table, literal

OPINIONS = ("likes", "dislikes")
"""Standard names of columns that each hold a message of its own."""

_READ = 1000  # rows
_ANSWERS = ("text", "id", "date", "customer")
# A word counts where it begins with a small letter or with one that has no case, so that names and
# single words do not count; of scripts without spaces, two signs are a word. Ties go to the left.
_LOOKS = r"""
WITH cells AS (
    SELECT list_position([{names}], name) AS place, name,
        trim(regexp_replace(cell, '</?[a-z][^<>]*>', ' ', 'g')) AS cell
    FROM (
        UNPIVOT (
            SELECT COLUMNS(* EXCLUDE ({row}))::VARCHAR FROM {relation} WHERE {row} <= {last}
        ) ON COLUMNS(*) INTO NAME name VALUE cell
    )
), looks AS (
    SELECT place, name, count(*) / {rows} AS filled, count(DISTINCT cell) / count(*) AS varied,
        avg(len(CASE WHEN regexp_matches(cell, '\s|[\p{{Han}}\p{{Hiragana}}\p{{Thai}}]') THEN
            regexp_extract_all(cell, '(?:^|[^\pL\pN])[\p{{Ll}}\p{{Lo}}]'
                '|[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}\p{{Thai}}]{{2}}') ELSE [] END)) AS words,
        avg(len(regexp_replace(cell, '[^\pL\pM\s]', '', 'g')) / len(cell)) AS letters,
        bool_and(regexp_full_match(cell, '\S+@\S+\.\S+')) AS addresses,
        bool_and(regexp_matches(cell, '^(?:\d{{4}}[-/.]\d\d?[-/.]\d\d?'
            '|\d\d?[-/.]\d\d?[-/.]\d{{2,4}})(?:[ T]|$)')) AS dates,
        bool_and(regexp_full_match(cell, '[^\s@:]{{1,99}}|https?:\S+')) AND (
            min(len(cell)) >= 6 AND NOT regexp_matches(lower(name), 'time|date|epoch')
            OR regexp_matches(lower(name), '\bid|id\b|_id|key|number|#')
            OR regexp_matches(name, '[a-z]I[dD]\b')
        ) AS codes
    FROM cells WHERE cell <> '' GROUP BY place, name
)
SELECT
    arg_max(name, [words * letters * varied * filled, -place])
        FILTER (words >= 1 AND letters >= 0.7 AND varied >= 0.4),
    CASE WHEN NOT bool_or(name = 'id') THEN
        arg_min(name, place) FILTER (codes AND NOT dates AND filled = 1 AND varied = 1) END,
    CASE WHEN NOT bool_or(name = 'created_at') THEN arg_min(name, place) FILTER (dates) END,
    CASE WHEN NOT bool_or(name IN ('customer_id', 'email')) THEN
        arg_max(name, [varied * filled, -place]) FILTER (addresses) END
FROM looks
"""


def proposal(table: Table) -> dict[str, Any]:
    """Return which column seems to hold the messages, and the answers that say so, as YAML.

    Nothing where no column holds sentences, where one is known to, or where a row is no message.
    """
    profile = known_profiles().get(table.reading.profile or "")
    known = not table.types.keys().isdisjoint((*TEXTS, *OPINIONS))
    if known or (profile and profile.table != "feedback"):
        return {}
    first = table.fetch(f"SELECT {ROW} FROM {table.relation} ORDER BY 1 LIMIT {_READ}") or [(0,)]
    query = _LOOKS.format(
        names=", ".join(map(literal, table.types)),
        row=ROW,
        relation=table.relation,
        rows=len(first),
        last=first[-1][0],
    )
    (names,) = table.fetch(query)
    if not names[0]:
        return {}
    headings = {
        name: " ".join(heading.split())
        for name, heading in zip(table.types, table.headings, strict=True)
    }
    answers = zip(_ANSWERS, names, strict=True)
    lines = [flow({answer: headings[name]})[1:-2] for answer, name in answers if name]
    return {"near": headings[names[0]], "answers": [f"`{line}`" for line in lines]}
