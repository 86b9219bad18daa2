"""What is asked of exports: their rows in one form, what is wrong with them, sums by period.

Sums are of whole numbers (microseconds, logarithms to twelve digits), so that they depend neither
on the order of the rows nor on the threads.
"""

from opslab.tables.source import ROW

PERSON = "concat_ws(' ', first_name, last_name)"
"""Who is meant, where an export has two columns of names."""

_LOCAL = "coalesce(timezone({{zone}}, timezone('UTC', {0})), {0})".format
"""The clock of a zone again, where the reader turned it into UTC."""

_FULL = f"""(
    SELECT *, nullif(trim(change_units[1]), '') AS change_unit FROM (SELECT * FROM (
        SELECT NULL::TIMESTAMP AS started_at, NULL::TIMESTAMP AS ended_at, NULL::DATE AS date,
            NULL::DOUBLE AS hours, NULL::DOUBLE AS counted_hours, NULL::VARCHAR AS person,
            NULL::VARCHAR AS first_name, NULL::VARCHAR AS last_name, NULL::VARCHAR AS email,
            NULL::VARCHAR AS client, NULL::VARCHAR AS project, NULL::VARCHAR AS task,
            NULL::VARCHAR AS description, NULL::VARCHAR AS title, NULL::VARCHAR AS type,
            NULL::VARCHAR AS key, NULL::VARCHAR AS id, NULL::VARCHAR AS status,
            NULL::VARCHAR AS state, NULL::VARCHAR AS status_category,
            NULL::VARCHAR AS resolution, NULL::VARCHAR AS state_reason,
            NULL::TIMESTAMP AS created_at, NULL::TIMESTAMP AS completed_at,
            NULL::TIMESTAMP AS closed_at, NULL::TIMESTAMP AS resolved_at,
            NULL::TIMESTAMP AS canceled_at, NULL::TIMESTAMP AS status_category_changed_at,
            NULL::TIMESTAMP AS state_changed_at, NULL::TIMESTAMP AS updated_at,
            NULL::DOUBLE AS value, NULL::DOUBLE AS rows
        LIMIT 0
    ) UNION ALL BY NAME SELECT COLUMNS('^({ROW}|(start|end|creat|clos|resolv|cancel|updat)ed_at|'
        || 'completed_at|(status_category|state)_changed_at|date|hours|counted_hours|person|'
        || 'first_name|last_name|email|client|project|task|description|title|type|key|id|status|'
        || 'state|status_category|resolution|state_reason|value|rows)$'),
        {{unit}} AS change_units, {{kept}} AS change_kept, {{yes}} AS change_yes FROM {{relation}})
)"""
"""A table with all columns of which there may be some."""

_OWN = f"""
SELECT {{file}} AS file, {ROW} + 1 AS row, change_unit AS unit, change_kept AS kept,
    change_yes AS yes,"""

_TIME = f"""
{_OWN} change_who AS who, change_began AS began, change_began AS seen,
    coalesce({_LOCAL("ended_at")}, change_began + to_microseconds(CAST(hours * 3.6e9 AS BIGINT)))
        AS stop, hours AS amount, 1 AS count,
    hash(change_who, change_began, round(hours * 3600), lower(
        concat_ws(chr(31), client, project, task, description))) AS ident,
    CASE WHEN len(change_units) > 1 THEN 'several'
        WHEN regexp_matches(lower(trim(type)), '^(break|pause)s?$') THEN 'breaks'
        WHEN ended_at IS NULL AND {{ends}} THEN 'running'
        WHEN hours < 0 OR (ended_at < started_at AND change_doubt <> 'clock') THEN 'negative'
        WHEN hours = 0 THEN 'zeros' WHEN hours > 16 THEN 'long' ELSE '' END AS fault,
    change_doubt AS doubt
FROM (SELECT *, coalesce({_LOCAL("started_at")}, TRY_CAST(date AS TIMESTAMP)) AS change_began,
    CASE WHEN coalesce(person, first_name, last_name, email) IS NOT NULL
        THEN hash(lower(concat_ws(' ', person, first_name, last_name, email))) END AS change_who,
    CASE WHEN abs(abs(epoch(ended_at) - epoch(started_at) - hours * 3600) - 3600) < 30
            AND 0 IN (dayofweek(started_at), dayofweek(ended_at))
            AND month(ended_at) IN (3, 4, 9, 10, 11) THEN 'clock'
        WHEN abs(epoch(ended_at) - epoch(started_at) - hours * 3600) > 60 THEN 'differ'
        ELSE '' END AS change_doubt
FROM {_FULL})
"""
"""Time entries: their hours are the tool's own. Clocks change on Sundays, by an hour."""

_WORDS = (
    r"\b(cancel|annul|abandon|won ?t|not planned|not a bug|cannot reproduce|duplica|doublon|reject|"
    r"rejet|declin|invalid|obsolet|spam|sans suite|ne sera pas|removed)"
)
_DONE = (
    r"^(done|closed|completed?|resolved|solved|fixed|released|termine|ferme|resolu|clos|cloture|"
    r"livre|fini|shipped|deployed|live|merged|erledigt|fertig|geschlossen)( ?es?)?$"
)
_TICKETS = f"""
{_OWN} NULL::VARCHAR AS who, {_LOCAL("created_at")} AS began, {_LOCAL("change_ended")} AS stop,
    greatest(began, stop, {_LOCAL("updated_at")}) AS seen, change_days AS amount, 1 AS count,
    hash(coalesce(upper(trim(coalesce(key, id))), '{{file}} ' || {ROW})) AS ident,
    CASE WHEN len(change_units) > 1 THEN 'several' WHEN NOT {{timed}} THEN ''
        WHEN regexp_matches(change_words, '{_WORDS}') THEN 'cancelled'
        WHEN canceled_at IS NOT NULL AND completed_at IS NULL THEN 'cancelled'
        WHEN change_ended IS NULL AND change_done THEN 'undated'
        WHEN change_days < 0 THEN 'negative'
        WHEN change_days = 0 AND '{{quantity}}' = 'elapsed' THEN 'zeros' ELSE '' END AS fault,
    CASE WHEN {{timed}} AND NOT change_done AND completed_at IS NULL
        AND coalesce(status, state) IS NOT NULL AND change_ended < {{end}} THEN 'doubtful' ELSE ''
        END AS doubt
FROM (SELECT *, CASE WHEN change_ended = date_trunc('day', created_at) THEN 0
    ELSE (epoch(change_ended) - epoch(created_at)) / 86400 END AS change_days
FROM (SELECT *, coalesce(completed_at, closed_at, resolved_at, CASE WHEN change_done
        THEN coalesce(status_category_changed_at, state_changed_at) END) AS change_ended
FROM (SELECT *, regexp_matches(trim(regexp_replace(strip_accents(lower(
        coalesce(status, state, ''))), '[^a-z0-9]+', ' ', 'g')), '{_DONE}')
        OR regexp_matches(strip_accents(lower(coalesce(status_category, ''))), '{_DONE}')
        AS change_done,
    regexp_replace(strip_accents(lower(concat_ws(' . ', status, resolution, state_reason))),
        '[^a-z0-9.]+', ' ', 'g') AS change_words
FROM {_FULL})))
"""
"""Tickets: days from creation to end. Of what is done on an unknown day they cannot be told.

What was cancelled has no such days; where none are asked for it counts: it was created.
"""

_MEETINGS = f"""
{_OWN} change_unit AS who, {_LOCAL("started_at")} AS began, {_LOCAL("started_at")} AS seen,
    {_LOCAL("ended_at")} AS stop, counted_hours AS amount, 1 AS count,
    hash(change_unit, lower(title), started_at, ended_at, counted_hours) AS ident,
    CASE WHEN len(change_units) > 1 THEN 'several' WHEN hours = 0 THEN 'zeros' ELSE '' END AS fault,
    '' AS doubt
FROM {_FULL}
"""

_PANEL = f"""
{_OWN} NULL::VARCHAR AS who, date_trunc('{{period}}', CAST(date AS TIMESTAMP)) AS began,
    date_trunc('{{period}}', CAST(date AS TIMESTAMP)) + INTERVAL 1 {{period}} - INTERVAL 1 DAY
        AS seen,
    NULL::TIMESTAMP AS stop, value AS amount, coalesce(rows, 1) AS count,
    hash({{file}}, {ROW}) AS ident,
    CASE WHEN value IS NULL THEN 'blank' WHEN value < 0 THEN 'negative' ELSE '' END AS fault,
    '' AS doubt
FROM {_FULL}
"""

ROWS = {"time_entries": _TIME, "tickets": _TICKETS, "meetings": _MEETINGS, "panel": _PANEL}
"""A row each in one form, by what the export is."""

_UNITS = """
SELECT unit, plain, CASE WHEN {mapped} THEN members.team
    ELSE first_value(unit) OVER (PARTITION BY plain ORDER BY row DESC, unit) END AS team
FROM (SELECT name AS unit, plain, row FROM change_written) LEFT JOIN (
    SELECT DISTINCT ON (plain) plain,
        first_value(name) OVER (PARTITION BY plain_name ORDER BY row) AS team
    FROM change_members
) AS members USING (plain)
"""
"""Which team each writing means: that of the person, or as most rows write it."""

_TWICE = """
SELECT file, row, true AS twice FROM (
    SELECT file, row, row_number() OVER (PARTITION BY ident, nth ORDER BY seen DESC, file DESC, row)
        AS place
    FROM (
        SELECT *, CASE WHEN clocked THEN 0
            ELSE row_number() OVER (PARTITION BY file, ident ORDER BY row) END AS nth
        FROM change_rows
        SEMI JOIN (SELECT ident FROM change_rows GROUP BY ident HAVING count(*) > 1) USING (ident)
        JOIN (SELECT bool_or(began <> date_trunc('day', began)) AS clocked FROM change_rows) ON true
    )
) WHERE place > 1
"""
"""Rows that repeat another; without a clock, as often as another file has them."""

_JUDGED = """
SELECT change_rows.* REPLACE (
    CASE WHEN {watch} IS NULL THEN amount
        WHEN stop < {end} THEN least(amount, {watch}) ELSE {watch} END AS amount,
    yes AND ({within} IS NULL OR coalesce(stop < {end} AND amount <= {within}, false)) AS yes,
    CASE WHEN twice THEN 'twice' WHEN began IS NULL THEN 'undated' WHEN began >= {end} THEN 'future'
        WHEN fault <> '' THEN fault WHEN unit IS NULL THEN 'unnamed'
        WHEN team IS NULL THEN 'unmapped'
        WHEN began + to_microseconds(CAST({watch} * 8.64e10 AS BIGINT)) > horizon THEN 'young'
        ELSE '' END AS fault
), team, horizon FROM change_rows LEFT JOIN change_twice USING (file, row)
LEFT JOIN change_teams USING (unit)
JOIN (SELECT max(least(seen, {end})) AS horizon FROM change_rows WHERE began < {end}) ON true
"""
"""What is open, or ended later, counts as long as all are watched."""

_PERIODS = """
SELECT *, first <= opens AND next <= {end} AND last >= shuts AS whole FROM (
    SELECT *, CAST(day + INTERVAL 1 {period} AS DATE) AS next,
        day + CASE isodow(day) WHEN 6 THEN 2 WHEN 7 THEN 1 ELSE 0 END AS opens,
        next - CAST(greatest(1, isodow(next - 1) - 4) AS INT) AS shuts
    FROM (
        SELECT first, last, CAST(unnest(generate_series(date_trunc('{period}', first), last,
            INTERVAL 1 {period})) AS DATE) AS day
        FROM (
            SELECT CAST(greatest(min(began), {since}) AS DATE) AS first, coalesce(
                CAST(max(horizon) AS DATE) - CAST(ceil({watch}) AS INT) - 1,
                CAST(max(least(seen, {end} - INTERVAL 1 DAY)) AS DATE)) AS last
            FROM change_rows WHERE began < {end}
        )
    )
)
"""
"""A period is whole where none of its working days is missing, and it is over."""

_EXACT = "coalesce(sum(CAST(round(amount * 3.6e9) AS BIGINT)) FILTER (kept), 0) / 3.6e9"
_MEAN = """exp(sum(CAST(round(ln(amount) * 1e12) AS BIGINT)) FILTER (kept) / 1e12
    / nullif(count(*) FILTER (kept), 0))"""
VALUES = {
    "hours": _EXACT,
    "minutes": f"60 * {_MEAN}",
    "elapsed": _MEAN,
    "count": "CAST(count(*) FILTER (kept) AS DOUBLE)",
    "share": "count(*) FILTER (kept AND yes) / nullif(count(*) FILTER (kept), 0)",
    "panel": "max(amount) FILTER (kept)",
    "person": f"{_EXACT} / count(DISTINCT who)",
}
"""The value of a team in a period; minutes and elapsed days as the geometric mean."""

_CELLS = """
SELECT team, CAST(date_trunc('{period}', began) AS DATE) AS day, {value} AS value,
    coalesce(sum(count) FILTER (kept), 0) AS rows
FROM change_rows WHERE fault = '' GROUP BY 1, 2
"""

GRID = """
SELECT *, count(value) OVER (PARTITION BY team) AS usable FROM (
    SELECT team, day, coalesce(rows, 0) AS rows, present, logged, next,
        coalesce(start > opens AND start < next, false) AS begun,
        count(CASE WHEN start <= opens THEN NULL ELSE 1 END) OVER (PARTITION BY team) AS start,
        CASE WHEN begun THEN NULL WHEN value IS NULL AND present AND '{kind}' IN
            ('tickets', 'meetings') AND '{quantity}' IN ('count', 'hours') THEN 0
            ELSE value END AS value
    FROM (
        SELECT *, rows IS NOT NULL AS logged,
            coalesce(day BETWEEN min(CASE WHEN logged THEN day END) OVER (PARTITION BY team)
                AND max(CASE WHEN logged THEN day END) OVER (PARTITION BY team), false) AS present
        FROM (SELECT DISTINCT team FROM change_teams WHERE team IS NOT NULL)
        CROSS JOIN (SELECT day, next, opens FROM change_periods WHERE whole)
        LEFT JOIN change_cells AS cells USING (team, day)
        JOIN (SELECT name AS team, TRY_CAST(said AS DATE) AS start FROM change_starts) USING (team)
    )
)
"""
"""Where a calendar or a queue is silent nothing came; where nobody logs time nothing is known."""

KEPT = {
    "change_teams": _UNITS,
    "change_twice": _TWICE,
    "change_rows": _JUDGED,
    "change_periods": _PERIODS,
    "change_cells": _CELLS,
}
"""Tables that are made one after the other."""

REFUSED = {
    "ticket_twice": """
        SELECT file, min(row), max(row) FROM change_rows WHERE '{kind}' = 'tickets'
        GROUP BY file, ident HAVING min(hash(began, stop)) < max(hash(began, stop))""",
    "cell_twice": """
        SELECT arg_max(file, (file, row)), arg_min(row, (file, row)), arg_max(row, (file, row))
        FROM change_rows WHERE '{kind}' = 'panel' AND fault = '' AND kept
        GROUP BY team, began HAVING count(*) > 1""",
    "share_above": """
        SELECT file, row, row FROM change_rows
        WHERE '{kind}' = 'panel' AND '{quantity}' = 'share' AND amount > 1""",
    "member_twice": """
        SELECT -1, min(row), max(row) FROM change_members
        GROUP BY plain HAVING count(DISTINCT plain_name) > 1""",
    "several": """
        SELECT file, min(row), min(row) FROM change_rows
        WHERE NOT {mapped} AND regexp_matches(unit, '[,;]') AND list_has_any(
            regexp_split_to_array(lower(unit), ' *[,;] *'),
            (SELECT list(lower(team)) FROM change_teams))
        GROUP BY file""",
    "far": """
        SELECT file, next, row FROM (
            SELECT file, row, day, lead(day) OVER days AS later, lead(row) OVER days AS next FROM (
                SELECT CAST(began AS DATE) AS day, min(row) AS row, arg_min(file, row) AS file
                FROM change_rows WHERE fault = '' AND began >= {since} GROUP BY day
            ) WINDOW days AS (ORDER BY day)
        ) WHERE later - day > 366""",
    "member_named": """
        SELECT -1, row, row FROM change_members
        WHERE plain_name IN (SELECT plain FROM change_members)""",
}
"""Rows that contradict another: the file, the other row, the row."""

NAMES = """
SELECT CAST(row AS INT) AS row, CAST(name AS VARCHAR) AS name, CAST(said AS VARCHAR) AS said,
    CAST(plain AS VARCHAR) AS plain, CAST(plain_name AS VARCHAR) AS plain_name FROM given
"""
"""Names that were handed over, as text even where there are none."""

WRITTEN = "SELECT count(*), unit FROM change_rows WHERE unit IS NOT NULL GROUP BY unit ORDER BY 2"
TEAMS = "SELECT DISTINCT team FROM change_teams WHERE team IS NOT NULL ORDER BY team"
USED = """
SELECT team, day, value, rows, start, (
    SELECT count(*) FROM change_rows WHERE change_rows.team = change_grid.team AND kept
        AND fault = 'cancelled' AND began >= day AND began < next
) AS cancelled FROM change_grid WHERE usable > 1 ORDER BY team, day
"""

_OVERLAP = """
SELECT 'overlap', count(*), [CAST(round(sum(epoch(least(stop, earlier)) - epoch(began)) / 3600, 1)
    AS VARCHAR)]
FROM (
    SELECT began, stop, kept, max(stop) OVER (
        PARTITION BY who ORDER BY began, stop, file, row
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS earlier
    FROM change_rows JOIN (
        SELECT bool_or(began <> date_trunc('day', began)) AS clocked FROM change_rows
    ) ON clocked AND '{kind}' = 'time_entries' WHERE fault = '' AND who IS NOT NULL
) WHERE earlier > began AND kept
"""
"""Time that one person logged twice over."""

ODD = f"""
SELECT * FROM (
    SELECT reason, count(*) AS count, list_transform(min({{{{'file': file, 'row': row}}}}, 12),
        lambda it: CASE WHEN len([{{files}}]) > 1 THEN [{{files}}][it.file + 1] || ' ' ELSE '' END
            || it.row) AS examples
    FROM (
        SELECT CASE fault WHEN '' THEN doubt ELSE fault END AS reason, file, row FROM change_rows
        WHERE kept AND (fault <> '' OR doubt <> '')
    ) GROUP BY reason
    UNION ALL SELECT 'cut', count(*), min(CAST(day AS VARCHAR), 12) FROM change_periods
    WHERE NOT whole
    UNION ALL SELECT reason, count(*), min(example, 12) FROM (
        SELECT 'alike' AS reason, string_agg(unit, ' = ' ORDER BY unit) AS example FROM change_teams
        WHERE NOT {{mapped}} GROUP BY plain HAVING count(*) > 1
        UNION ALL SELECT 'absent', any_value(name) FROM change_members
        LEFT JOIN (SELECT plain, row AS seen FROM change_written) USING (plain)
        GROUP BY plain_name HAVING count(seen) = 0 UNION ALL
        SELECT 'late' AS reason, team AS example FROM change_grid GROUP BY team
        HAVING NOT arg_min(present, day)
        UNION ALL SELECT 'gone', team FROM change_grid GROUP BY team
        HAVING NOT arg_max(present, day)
        UNION ALL SELECT 'short', team FROM change_grid GROUP BY team HAVING max(usable) < 2
        UNION ALL SELECT 'gaps', team || ' ' || day FROM change_grid
        WHERE present AND value IS NULL AND NOT begun
        UNION ALL SELECT 'empty', team || ' ' || day FROM change_grid
        WHERE value = 0 AND '{{quantity}}' <> 'share'
        UNION ALL SELECT 'people', team FROM change_rows JOIN (
            SELECT name AS team, TRY_CAST(said AS DATE) AS start FROM change_starts) USING (team)
        WHERE '{{kind}} {{per}}' = 'time_entries unit' AND fault = '' GROUP BY team
        HAVING abs(count(DISTINCT who) FILTER (began >= start)
            - count(DISTINCT who) FILTER (began < start)) > 0.2 * count(DISTINCT who)
            AND bool_or(began < start) AND bool_or(began >= start)
    ) GROUP BY reason
    UNION ALL ({_OVERLAP})
) WHERE count > 0 ORDER BY reason
"""
"""What was left out, mended or doubted: the reason, how often, and the first examples."""
