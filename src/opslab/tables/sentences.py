"""Which column of a table holds sentences, and which its ids, its dates and its customers."""

from __future__ import annotations

from typing import Any

import yaml

from opslab.tables.profiles import TEXTS, known_profiles
from opslab.tables.source import ROW, Table, literal

OPINIONS = ("likes", "dislikes")
"""Standard names of columns that each hold a message of its own."""

_READ = 2000  # rows
_ANSWERS = ("text", "id", "date", "customer")
_STANDARD = ("id", "created_at", "customer_id", "email")  # what needs no answer
# A word counts where it begins with a small letter or one without case, so that names of people and
# of choices do not; scripts without spaces count a word every two signs.
_LOOKS = r"""
WITH cells AS (
    SELECT list_position([{names}], name) AS place, name,
        trim(cell) AS cell
    FROM (UNPIVOT (SELECT COLUMNS(* EXCLUDE ({row}))::VARCHAR FROM {relation} ORDER BY {row} LIMIT {rows})
        ON COLUMNS(*) INTO NAME name VALUE cell)
    WHERE trim(cell) <> ''
), looks AS (
    SELECT place, name, count(*) / {rows} AS filled, count(DISTINCT cell) / count(*) AS distinct_share,
        avg(CASE WHEN regexp_matches(cell, '\s|[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}\p{{Thai}}]')
            THEN len(regexp_extract_all(cell, '(?:^|[^\pL\pN])[\p{{Ll}}\p{{Lo}}]|[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}\p{{Thai}}]{{2}}'))
            ELSE 0 END) AS words,
        avg(len(regexp_replace(cell, '[^\pL\pM\s]', '', 'g')) / len(cell)) AS letters,
        bool_and(regexp_full_match(cell, '\S+@\S+\.\S+')) AS addresses,
        bool_and(regexp_matches(cell, '^\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}(?:[ T]|$)')) AS dates,
        bool_and(regexp_full_match(cell, '[^\s@]{{1,200}}')) AND (min(len(cell)) >= 6
            OR regexp_matches(lower(any_value(name)), '\bid$|_id$|^id|key|number|uuid|^#$|^n[o°]$')
            OR regexp_matches(any_value(name), '[a-z]I[dD]$')) AS codes
    FROM cells GROUP BY place, name
)
SELECT
    arg_max(name, words * letters * distinct_share * filled)
        FILTER (words >= 1 AND letters >= 0.7 AND distinct_share >= 0.4),
    arg_min(name, place) FILTER (codes AND NOT dates AND filled = 1 AND distinct_share = 1),
    arg_min(name, place) FILTER (dates),
    arg_min(name, place) FILTER (addresses)
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
    query = _LOOKS.format(
        names=", ".join(map(literal, table.types)),
        row=ROW,
        relation=table.relation,
        rows=max(min(table.reading.rows, _READ), 1),
    )
    (names,) = table.fetch(query)
    headings = dict(zip(table.types, table.headings, strict=True))
    answers = {
        answer: " ".join(headings[name].split())
        for answer, name in zip(_ANSWERS, names, strict=True)
        if name and name not in _STANDARD
    }
    lines = [
        f"`{yaml.safe_dump({name: heading}, allow_unicode=True, width=10_000).strip()}`"
        for name, heading in answers.items()
    ]
    return {"near": answers["text"], "answers": lines} if "text" in answers else {}
