"""The engine's SQL, in which every pass is written once, as other engines take it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import sqlglot
from sqlglot import exp

Dialect = Literal["postgres", "spark"]

_COMMON = {
    "isfinite": "abs(:x) < CAST('Infinity' AS DOUBLE)",  # NaN is beyond it, as in DuckDB
    "isinf": "abs(:x) = CAST('Infinity' AS DOUBLE)",
    "approxdistinct": "count(DISTINCT :x)",
    "skewness": (  # the sample's; its values stand about 0
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
        "make_timestamp": "timezone('UTC', :x)",
        "to_microseconds": "CAST(concat(:x, ' microseconds') AS INTERVAL)",
    },
    # Spark has no moment that is free of the session's zone: all are clock times in UTC
    "spark": _COMMON
    | {
        "epoch_us": "timestampdiff(microsecond, CAST('1970-01-01' AS TIMESTAMPNTZ), :x)",
        "make_timestamp": ":x",
        "to_microseconds": "make_dt_interval(0, 0, 0, CAST(:x / 1000000 AS DECIMAL(18, 6)))",
        "to_zone": "convert_timezone('UTC', :zone, :x)",
        "from_zone": "convert_timezone(:zone, 'UTC', :x)",
    },
}


def rewritten(sql: str, dialect: Dialect, sources: Mapping[str, exp.Expression]) -> exp.Expression:
    """Return a query of ours in another engine's dialect.

    Parameters
    ----------
    sql : str
        As DuckDB takes it.
    dialect : {"postgres", "spark"}
    sources : Mapping
        Tables and queries of that engine, by the name under which the query reads them.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    for node in list(tree.find_all(exp.UnixToTime)):  # of a moment its clock time in UTC
        (moment,) = node.this.expressions
        node.replace(exp.Anonymous(this="make_timestamp", expressions=[moment]))
    nodes = list(tree.walk())
    local = {id(node) for node in nodes if _name(node) == "timezone" and _is_instant(node)}
    for node in reversed(nodes):
        changed = _rewritten(node, dialect, to_instant=id(node) in local)
        if node is tree:
            tree = changed
        elif changed is not node:
            node.replace(changed)
    for table in list(tree.find_all(exp.Table)):
        if table.name in sources:
            table.replace(_source(sources[table.name].copy(), table.alias or table.name))
    for order, inner in enumerate(tree.find_all(exp.Subquery)):
        if not inner.alias and isinstance(inner.parent, exp.From | exp.Join):
            inner.set("alias", exp.TableAlias(this=exp.to_identifier(f"opslab_t{order}")))
    return tree


def _source(source: exp.Expression, alias: str) -> exp.Expression:
    if isinstance(source, exp.Query):
        return source.subquery(alias)
    return exp.alias_(source, alias, table=True)


def _name(node: exp.Expression) -> str:
    return node.name.lower() if isinstance(node, exp.Anonymous) else node.key


def _is_instant(node: exp.Expression) -> bool:
    """Whether an expression is a moment with an offset, and no clock time."""
    if _name(node) == "timezone":
        return not _is_instant(node.expressions[1])
    inner = node.args.get("default" if isinstance(node, exp.Case) else "this")
    passed = isinstance(node, exp.Case | exp.Paren | exp.Add | exp.Sub)
    return passed and isinstance(inner, exp.Expression) and _is_instant(inner)


def _rewritten(node: exp.Expression, dialect: Dialect, *, to_instant: bool) -> exp.Expression:
    """Return what stands for an expression whose parts have been rewritten."""
    name, templates = _name(node), _TEMPLATES[dialect]
    values = node.expressions if isinstance(node, exp.Anonymous) else [node.this]
    if isinstance(node, exp.DataType):
        return exp.DataType.build("DECIMAL(38, 0)") if node.this == exp.DType.INT128 else node
    if name == "timezone" and dialect == "spark":
        key = "from_zone" if to_instant else "to_zone"
        return _filled(templates[key], dialect, zone=values[0], x=values[1])
    if isinstance(node, exp.PercentileDisc) and dialect == "spark":
        order = exp.Order(expressions=[exp.Ordered(this=node.this)])
        return exp.WithinGroup(this=exp.PercentileDisc(this=node.expression), expression=order)
    if name == "hash":
        return _hash(values, dialect)
    return _filled(templates[name], dialect, x=values[0]) if name in templates else node


def _hash(values: list[exp.Expression], dialect: Dialect) -> exp.Expression:
    if dialect == "spark":
        return exp.Anonymous(this="xxhash64", expressions=values)
    row = exp.Cast(this=exp.Anonymous(this="row", expressions=values), to=exp.DataType.build("TEXT"))
    return exp.Anonymous(this="hashtextextended", expressions=[row, exp.Literal.number(0)])


@cache
def _template(template: str, dialect: Dialect) -> exp.Expression:
    return sqlglot.parse_one(template, read=dialect)


def _filled(template: str, dialect: Dialect, **values: Any) -> exp.Expression:
    return exp.replace_placeholders(_template(template, dialect).copy(), **values)
