"""DuckDB's SQL, in which every pass is written once, as other engines take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlglot import exp

Dialect = Literal["postgres", "spark"]
Sources = dict[str, "exp.Query"]
"""Queries of another engine, by the name under which ours read them."""

_COMMON = {
    "isfinite": "abs(:x) < CAST('Infinity' AS DOUBLE PRECISION)",  # NaN is beyond it, as in DuckDB
    "isinf": "abs(:x) = CAST('Infinity' AS DOUBLE PRECISION)",
    "approxdistinct": "count(DISTINCT :x)",
    "skewness": (  # of a sample whose values stand about 0
        "CASE WHEN count(:x) > 2 AND var_pop(:x) > 0 THEN "
        "sqrt(count(:x) * (count(:x) - 1e0)) / (count(:x) - 2) "
        "* (avg(:x * :x * :x) - 3 * avg(:x) * avg(:x * :x) + 2 * power(avg(:x), 3)) "
        "/ power(var_pop(:x), 1.5) END"
    ),
}
_TEMPLATES: Mapping[Dialect, Mapping[str, str]] = {
    "postgres": _COMMON
    | {
        "epoch_us": "CAST(EXTRACT(EPOCH FROM :x) * 1000000 AS BIGINT)",
        "unixtotime": "CAST('1970-01-01' AS TIMESTAMP) + :x * INTERVAL '1 microsecond'",
        "to_microseconds": ":x * INTERVAL '1 microsecond'",
        "hash": "hashtextextended(CAST(:all AS TEXT), 0)",
    },
    # a moment is a clock time in UTC: those of the session's zone jump with its clocks
    "spark": _COMMON
    | {
        "epoch_us": "timestampdiff(MICROSECOND, CAST('1970-01-01' AS TIMESTAMP_NTZ), :x)",
        "unixtotime": "timestampadd(MICROSECOND, :x, CAST('1970-01-01' AS TIMESTAMP_NTZ))",
        "to_microseconds": "make_dt_interval(0, 0, 0, CAST(:x / 1e6 AS DECIMAL(18, 6)))",
        "hash": "xxhash64(:all)",
        "percentiledisc": "percentile_disc(:y) WITHIN GROUP (ORDER BY :x)",
        "timezone": "convert_timezone(:x, 'UTC', :y)",
        "to_clock": "convert_timezone('UTC', :x, :y)",
    },
}


def rewritten(sql: str, dialect: Dialect, sources: Sources) -> exp.Query:
    """Return a query of ours as another engine takes it."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="duckdb", into=exp.Select)
    for node in reversed(list(tree.walk())):  # what is inside first
        anonymous = isinstance(node, exp.Anonymous)
        name = node.name.lower() if anonymous else node.key
        parts = node.expressions if anonymous else [node.this, node.args.get("expression")]
        if name == "timezone" and isinstance(parts[1], exp.Sub | exp.ConvertTimezone):
            name = "to_clock" if dialect == "spark" else name  # of a moment, not of a clock time
        if template := _TEMPLATES[dialect].get(name):
            values = {"all": exp.Tuple(expressions=parts), **dict(zip("xy", parts, strict=False))}
            node.replace(exp.replace_placeholders(sqlglot.parse_one(template, dialect), **values))
        elif dialect == "postgres" and isinstance(node, exp.Not) and node.this.args.get("query"):
            node.replace(_no_row(node.this))  # NOT IN is looked through anew for each row
        elif node.args.get("this") == exp.DType.INT128:
            node.replace(exp.DataType.build("DECIMAL(38, 0)"))
    for table in list(tree.find_all(exp.Table)):
        if table.name in sources:
            table.replace(sources[table.name].copy().subquery(table.alias or table.name))
    for inner in tree.find_all(exp.Subquery):
        if not inner.alias and isinstance(inner.parent, exp.From | exp.Join):
            inner.set("alias", exp.TableAlias(this=exp.to_identifier("opslab_rows")))
    return tree


def _no_row(node: exp.Expression) -> exp.Expression:
    """Return that no row of a query in ``value IN (query)`` is the value."""
    import sqlglot
    from sqlglot import exp

    rows = "SELECT 1 FROM (SELECT 1) AS opslab_in(opslab_value) WHERE opslab_value = :x"
    query = exp.replace_placeholders(sqlglot.parse_one(rows), x=node.this)
    for inner in list(query.find_all(exp.Subquery)):
        inner.set("this", node.args["query"].this)
    return exp.Not(this=exp.Exists(this=query))
