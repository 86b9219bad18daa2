"""What is asked of an open export: its tickets, the events that move them, and their visits.

Instants are microseconds since 1970, which are whole numbers, until a query returns them as days.
"""

from opslab.operations.flow.statuses import words
from opslab.tables.source import ROW

FULL = """(
    SELECT *, trim(coalesce(key, id, '')) AS flow_key, upper(flow_key) AS flow_ident FROM (
        SELECT unnest(CAST([] AS TIMESTAMP[])) AS created_at, NULL::TIMESTAMP AS started_at,
            NULL::TIMESTAMP AS completed_at, NULL::TIMESTAMP AS closed_at,
            NULL::TIMESTAMP AS resolved_at, NULL::TIMESTAMP AS canceled_at,
            NULL::TIMESTAMP AS status_category_changed_at, NULL::TIMESTAMP AS state_changed_at,
            NULL::TIMESTAMP AS updated_at, NULL::TIMESTAMP AS changed_at,
            NULL::VARCHAR AS status, NULL::VARCHAR AS status_category,
            NULL::VARCHAR AS resolution, NULL::VARCHAR AS state_reason,
            NULL::VARCHAR AS to_status, NULL::VARCHAR AS from_status, NULL::VARCHAR AS field,
            NULL AS assignee, NULL::VARCHAR AS key, NULL::VARCHAR AS id,
            NULL::VARCHAR AS parent_key, NULL::VARCHAR AS epic_key, NULL::VARCHAR AS parent_id,
            NULL::VARCHAR AS lifecycle
        UNION ALL BY NAME SELECT * FROM {relation}
    )
)"""
"""A table with all columns of which there may be some."""

ENTRY = "TRY_CAST({} AS TIMESTAMP)"

TICKETS = f"""
SELECT flow_ident AS ident, row_number() OVER (ORDER BY flow_ident) - 1 AS nth,
    arg_min(flow_key, {ROW}) AS key,
    min({ROW}) + 1 AS row, coalesce(epoch_us(min(created_at)), -1) AS created,
    coalesce(epoch_us(max(resolved_at)), -1) AS resolved,
    coalesce(max(resolved_at) < min(CASE
        WHEN resolved_at = date_trunc('day', resolved_at) THEN date_trunc('day', created_at)
        ELSE created_at END), false) AS early,
    coalesce(epoch_us(greatest(max(created_at), max(resolved_at), max(updated_at))), -1) AS last,
    coalesce(arg_max(hash(assignee), -{ROW}) FILTER (assignee IS NOT NULL), 0) AS assignee,
    coalesce(arg_max(trim(status), -{ROW}), '') AS status,
    coalesce(arg_max(status_category, -{ROW}), '') AS category,
    coalesce(upper(max(id)), '') AS number,
    coalesce(upper(max(coalesce(parent_key, epic_key, parent_id))), '') AS above{{columns}}
FROM {{full}} WHERE flow_ident <> '' GROUP BY flow_ident ORDER BY flow_ident
"""
"""A row a ticket, in the order of their keys; -1 for a date that is not told.

`early` where it was resolved before it was created; a day without a clock may be that of creation.
"""

ATTRIBUTE = f", coalesce(arg_max({{}}, (changed_at, -{ROW})), '') AS {{}}"
CELL, LIST = "trim(CAST({} AS VARCHAR))", "array_to_string({}, '; ')"
"""Of a ticket's file the first, of a log the newest that it tells."""

TWICE = f"""
SELECT first(flow_key), min({ROW}) + 1, max({ROW}) + 1
FROM {{full}} WHERE flow_ident <> '' GROUP BY flow_ident HAVING min(hash(created_at, started_at,
    completed_at, closed_at, resolved_at, canceled_at)) < max(hash(created_at, started_at,
    completed_at, closed_at, resolved_at, canceled_at))
ORDER BY 2
"""
"""Tickets that have several rows with other dates."""

ACTIVITIES = """
SELECT count(DISTINCT lower(lifecycle)) FROM {full} WHERE lower(lifecycle) IN ('start', 'complete')
"""

CHANGES = f"""
SELECT flow_ident AS ident, epoch_us(changed_at) AS instant, coalesce(trim(to_status), '') AS name,
    coalesce(trim(from_status), '') AS before, {ROW} + 1 AS row, 0 AS nth,
    CASE WHEN coalesce(lower(trim(field)), 'status') IN ('status', 'state', 'statut', 'état',
        'workflow status', 'system.state') THEN '' ELSE 'elsewhere' END AS fault,
    hash({{columns}}) AS whole
FROM {{full}}
"""
"""Changes of other fields tell only until when the file goes."""

ENTRIES = f"""
SELECT ident, epoch_us(entered) AS instant, name, '' AS before, row, nth, '' AS fault,
    hash(ident, nth) AS whole
FROM (
    SELECT flow_ident AS ident, {ROW} + 1 AS row, unnest([{{columns}}]) AS entered,
        unnest([{{names}}]) AS name, unnest(range(len([{{names}}]))) AS nth FROM {{full}}
) WHERE entered IS NOT NULL
"""

DATED = f"""
SELECT ident, epoch_us(entered) AS instant, name, '' AS before, row, nth, fault,
    hash(ident, nth) AS whole
FROM (
    SELECT ident, row, unnest(range(4)) AS nth, unnest(['backlog', 'active', ends, '']) AS name,
        unnest([
            created_at,
            CASE WHEN started_at IS NOT NULL THEN greatest(started_at, created_at) END,
            CASE WHEN ends <> '' THEN greatest(ended, created_at) END,
            CASE WHEN ends = '' THEN ended END
        ]) AS entered,
        unnest([lost, CASE
            WHEN started_at < date_trunc('day', created_at) OR started_at > ended THEN 'undated'
            ELSE lost END, lost, 'resolved_open']) AS fault
    FROM (SELECT *, CASE
        WHEN created_at IS NULL OR (ends <> '' AND ended IS NULL) THEN 'undated'
        WHEN ends = '' THEN ''
        WHEN ended < date_trunc('day', created_at) THEN 'closed_early'
        WHEN ended < created_at AND ended <> date_trunc('day', ended) THEN 'closed_early'
        ELSE '' END AS lost
    FROM (SELECT *, coalesce(dated, CASE WHEN ends <> '' THEN changed END) AS ended
    FROM (SELECT *, CASE
        WHEN kind IN ('backlog', 'waiting', 'active') OR (kind = '' AND dated IS NULL) THEN ''
        WHEN kind = 'cancelled' OR (canceled_at IS NOT NULL AND completed_at IS NULL)
            OR regexp_matches(reason, '{words()["cancelled"]}') THEN 'cancelled'
        ELSE 'done' END AS ends
    FROM (SELECT flow_ident AS ident, {ROW} + 1 AS row, created_at, started_at, completed_at,
        canceled_at, coalesce(completed_at, closed_at, resolved_at, canceled_at) AS dated,
        coalesce(status_category_changed_at, state_changed_at) AS changed,
        coalesce(MAP {{{{{{kinds}}}}}}[trim(status)], '') AS kind,
        regexp_replace(strip_accents(lower(concat_ws(' ', resolution, state_reason))),
            '[^a-z0-9]+', ' ', 'g') AS reason
    FROM {{full}}))))
) WHERE entered IS NOT NULL OR fault = 'undated'
"""
"""Of an export with few dates: created, started, ended; what is open and has an end is doubted.

A day without a clock that is the day of creation is not too early.
"""

EVENTS = """
WITH told AS MATERIALIZED (
    SELECT flow_tickets.nth AS ticket, ident <> '' AS keyed, told.* EXCLUDE ident
    FROM ({events}) AS told LEFT JOIN flow_tickets USING (ident)
),
days AS (SELECT instant // 86400000000 AS day, count(*) AS count FROM told GROUP BY day),
isles AS (
    SELECT min(day) AS low, max(day) AS high, sum(count) AS count FROM (
        SELECT *, sum(far) OVER (ORDER BY day) AS isle FROM (
            SELECT *, CAST(day - lag(day, 1, day) OVER (ORDER BY day) > 366 AS INT) AS far
            FROM days WHERE day IS NOT NULL
        )
    ) GROUP BY isle
),
mainland AS (
    SELECT min(low) AS low, max(high) AS high FROM isles
    WHERE count > (SELECT CASE WHEN sum(count) < 20 THEN 0 ELSE greatest(1, sum(count) / 100) END
        FROM isles)
)
SELECT ticket, instant, name, before, row, nth, CASE
    WHEN fault <> '' THEN fault
    WHEN instant IS NULL OR name = '' OR NOT keyed THEN 'undated'
    WHEN ticket IS NULL THEN 'unmatched'
    WHEN row > first THEN 'repeated'
    WHEN instant // 86400000000 NOT BETWEEN low AND high THEN 'far'
    ELSE '' END AS fault
FROM told CROSS JOIN mainland LEFT JOIN (
    SELECT whole, min(row) AS first FROM told GROUP BY whole HAVING count(*) > 1
) USING (whole)
"""
"""Events, and what is wrong with them.

Far are a few, up to one in a hundred, that lie more than a year from all others.
"""

MOVED = """
WITH runs AS (
    SELECT ticket, sign(count(*) * sum(CAST(instant // 1000000 AS HUGEINT) * row)
        - sum(instant // 1000000) * sum(row)) AS run
    FROM flow_events WHERE fault = '' GROUP BY ticket
),
signs AS (
    SELECT ticket, CAST(CASE WHEN coalesce(nullif(run, 0), total) < 0 THEN -1 ELSE 1 END AS BIGINT)
        AS run
    FROM runs, (SELECT sum(run) AS total FROM runs)
)
SELECT ticket, instant, name, before, row, row_number() OVER moves AS place,
    lag(name) OVER moves AS previous, lag(instant) OVER moves AS since
FROM flow_events JOIN signs USING (ticket) WHERE fault = ''
WINDOW moves AS (PARTITION BY ticket ORDER BY instant, row * run, nth)
"""
"""Events in the order of time, and at one instant as the file runs.

It may have the newest event first, or the tickets' events mixed: the covariance of a ticket's rows
and instants tells how they run, and that of most tickets where it does not.
"""

CHAINS = """
WITH RECURSIVE chains AS (
    SELECT ticket, instant, arg_min(previous, place) AS now, min(place) AS place,
        list({'name': name, 'before': before, 'place': place} ORDER BY place) AS rest,
        CAST(NULL AS BIGINT) AS taken
    FROM flow_ordered SEMI JOIN (
        SELECT * FROM flow_ordered WHERE before <> '' AND before <> previous
    ) AS broken USING (ticket, instant)
    GROUP BY ticket, instant HAVING count(*) > 1
    UNION ALL
    SELECT ticket, instant, pick.name, place + 1,
        list_filter(rest, lambda x: x.place <> pick.place), pick.place
    FROM (
        SELECT *, coalesce(
            list_filter(rest, lambda x: x.before = now AND list_contains(befores, x.name))[1],
            list_filter(rest, lambda x: x.before = now)[1],
            list_filter(rest, lambda x: NOT list_contains(names, x.before))[1], rest[1]) AS pick
        FROM (SELECT *, list_transform(rest, lambda x: x.name) AS names,
            list_transform(rest, lambda x: x.before) AS befores FROM chains)
        WHERE len(rest) > 0
    )
)
SELECT ticket, taken, place - 1 AS place FROM chains WHERE taken IS NOT NULL
"""
"""Which place events of one instant take, so that each leads to the next."""

ORDERED = """
SELECT * FROM (
    SELECT * FROM flow_ordered ANTI JOIN flow_chains USING (ticket)
    UNION ALL SELECT * REPLACE (lag(name) OVER moves AS previous, lag(instant) OVER moves AS since)
    FROM (
        SELECT moved.* REPLACE (coalesce(flow_chains.place, moved.place) AS place)
        FROM (SELECT * FROM flow_ordered SEMI JOIN flow_chains USING (ticket)) AS moved
        LEFT JOIN flow_chains ON moved.ticket = flow_chains.ticket AND moved.place = taken
    ) WINDOW moves AS (PARTITION BY ticket ORDER BY place)
) WHERE previous IS DISTINCT FROM name OR before = name
"""
"""Events in the order of work."""

NOTHING = "SELECT '' AS name, '' AS before, 0 AS row, 0 AS place LIMIT 0"

WRITTEN = """
SELECT name, count(*), min(row), avg(place), max(category) FROM (
    SELECT name, row, place, '' AS category FROM flow_ordered
    UNION ALL SELECT before, row, place - 1, '' FROM flow_ordered
    UNION ALL SELECT status, row, 0, category FROM flow_tickets WHERE {apart}
) WHERE name <> '' GROUP BY name ORDER BY 2 DESC, 1
"""

ENDED = """
SELECT DISTINCT status FROM flow_tickets
WHERE nth IN (SELECT ticket FROM flow_ordered WHERE name = 'done')
"""
"""Statuses of what is taken for done, as it bears the date of an end."""

LAST = """
SELECT ticket, arg_max(kind, place) AS kind, min(instant) AS first, max(instant) AS last
FROM flow_ordered JOIN flow_codes USING (name) WHERE instant < {cap} GROUP BY ticket
"""

VISITS = """
SELECT ticket, status, instant / 86400e6 AS entered FROM (
    SELECT ticket, codes.status, instant, place
    FROM flow_ordered JOIN flow_codes AS codes USING (name)
    UNION ALL SELECT ticket, codes.status, created, 0
    FROM flow_ordered JOIN flow_tickets ON ticket = nth JOIN flow_codes AS codes ON before =
        codes.name
    WHERE place = 1 AND created BETWEEN 0 AND instant
    UNION ALL SELECT nth, codes.status, created, 0
    FROM flow_tickets JOIN flow_codes AS codes ON flow_tickets.status = codes.name
    WHERE {apart} AND created >= 0 AND kind NOT IN ('done', 'cancelled')
        AND nth NOT IN (SELECT ticket FROM flow_ordered)
) WHERE instant < {cap} AND ticket NOT IN (
    SELECT ticket FROM flow_last WHERE kind IN ('done', 'cancelled') AND last < {first}
) ORDER BY ticket, place
"""
"""When each ticket entered a status; what ended before the period is left out.

Where the first change names another status before it, that held since the ticket was created; a
ticket without a change is in its status since then.
"""

SPAN = """
SELECT begin / 86400e6, least({cap}, greatest({still}, high,
        (SELECT max(last) FROM flow_tickets WHERE last < high + 366 * 86400000000),
        (SELECT max(instant) FROM flow_events WHERE instant < high + 366 * 86400000000)
    )) / 86400e6,
    by_day, filtered, CASE WHEN filtered = 'recent' THEN earliest / 86400e6 ELSE 'NaN'::DOUBLE END
FROM (
    SELECT *, CASE WHEN ends < 20 THEN '' WHEN still = 0 THEN 'done_only'
        WHEN earliest - begin > greatest(1.5 * usual, 28 * 86400000000) THEN 'recent' ELSE '' END AS
        filtered
    FROM (
        SELECT coalesce({first}, min(instant)) AS begin, max(instant) AS high,
            bool_and(CASE WHEN instant % 900000000 = 0
                THEN timezone({zone}, make_timestamptz(instant)) =
                    date_trunc('day', timezone({zone}, make_timestamptz(instant)))
                ELSE false END) AS by_day
        FROM flow_ordered
    ), (
        SELECT count(*) FILTER (over) AS ends, min(last) FILTER (over) AS earliest,
            median(last - first) FILTER (over) AS usual, count(*) - ends + (
            SELECT count(*) FROM flow_tickets
            WHERE {apart} AND nth NOT IN (SELECT ticket FROM flow_ordered)) AS still
        FROM (SELECT *, kind IN ('done', 'cancelled') AS over FROM flow_last)
    )
)
"""
"""From when to when, whether all events are days without a clock, and how the file was filtered.

It goes up to its last dated row, of whatever kind. Where nothing is open it holds what is done
only. Where nothing ends for half as long again as work usually takes, it holds what was changed
lately: what ended before is missing.
"""

CREATED = """
SELECT coalesce(CASE
        WHEN created >= 0 AND NOT coalesce(list_contains(far, created), false)
        THEN least(created, instant)
        WHEN before = '' THEN instant END / 86400e6, CAST('NaN' AS DOUBLE)) AS created,
    coalesce(CASE WHEN NOT early AND resolved >= 0 AND resolved < {cap} AND NOT coalesce(
        list_contains(far, resolved), false) THEN resolved END / 86400e6,
        CAST('NaN' AS DOUBLE)) AS resolved
FROM flow_tickets LEFT JOIN (SELECT * FROM flow_ordered WHERE place = 1) AS first ON first.ticket =
    flow_tickets.nth
LEFT JOIN (
    SELECT ticket, list(instant) AS far FROM flow_events WHERE fault = 'far' GROUP BY ticket
) AS astray ON astray.ticket = flow_tickets.nth
ORDER BY flow_tickets.nth
"""
"""Where nothing tells when a ticket was created, its first event does, if it comes from nowhere."""

FLAGS = """
SELECT reason, list(DISTINCT row ORDER BY row) FROM (
    SELECT fault AS reason, row FROM flow_events WHERE fault NOT IN ('', 'elsewhere')
    UNION ALL SELECT 'later', row FROM flow_ordered WHERE instant >= {cap}
    UNION ALL SELECT 'loops', row FROM flow_ordered WHERE name = before
    UNION ALL SELECT 'same_instant', row FROM flow_ordered
    WHERE since = instant AND name <> previous AND '{shape}' = 'changes'
    UNION ALL SELECT 'skipped', row
    FROM flow_ordered JOIN flow_codes AS told ON before = told.name
        JOIN flow_codes AS known ON previous = known.name
    WHERE before <> previous AND told.status <> known.status
    UNION ALL SELECT 'clock', row FROM (
        SELECT row, [timezone({clock}, make_timestamptz(instant + hour * 3600000000))
            FOR hour IN [-1, 0, 1]] AS local
        FROM flow_ordered WHERE {clock} IS NOT NULL
    ) WHERE local[2] = local[3] OR local[2] - local[1] = INTERVAL 2 HOUR
    UNION ALL SELECT 'closed_early', row FROM flow_tickets WHERE early
    UNION ALL SELECT 'later', row FROM flow_tickets WHERE created >= {cap}
    UNION ALL SELECT 'unchanged', flow_tickets.row
    FROM flow_tickets LEFT JOIN flow_codes AS codes ON flow_tickets.status = codes.name
    WHERE {apart} AND nth NOT IN (SELECT ticket FROM flow_ordered) AND kind IS DISTINCT FROM
        'backlog'
    UNION ALL SELECT 'disagree', flow_tickets.row
    FROM flow_tickets JOIN flow_last ON ticket = nth JOIN flow_codes AS codes ON
        flow_tickets.status = codes.name
    WHERE {apart} AND coalesce(nullif(codes.kind, ''), 'active') <>
        coalesce(nullif(flow_last.kind, ''), 'active')
        AND ticket NOT IN (SELECT ticket FROM flow_ordered WHERE instant >= {cap})
    UNION ALL SELECT 'epics', row FROM flow_tickets
    WHERE ident IN (SELECT above FROM flow_tickets WHERE above <> '')
        OR number IN (SELECT above FROM flow_tickets WHERE above <> '')
) GROUP BY reason ORDER BY reason
"""

WHY = """
SELECT CASE WHEN bool_and(fault = 'elsewhere') THEN 'no_status_field'
        WHEN bool_and(fault = 'unmatched') THEN 'no_match'
        WHEN min(instant) >= {cap} THEN 'all_later' ELSE 'no_history' END,
    (SELECT list(DISTINCT field ORDER BY field)[:12] FROM {full} WHERE field IS NOT NULL),
    (SELECT min(flow_key) FROM {full}), (SELECT min(key) FROM flow_tickets),
    CAST(make_timestamp(min(instant)) AS DATE)
FROM flow_events
"""
"""Why there is no visit: which fields there are, a key of each file, the first day."""
