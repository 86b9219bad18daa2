"""Everything that can be wrong in a spec or its data: the exact words that the analyst reads."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from opslab.errors import DataError, OpslabError, SpecError
from opslab.experiments import Experiment, analyze

SPEC = """\
experiment: short-label
data: {path: units.csv}
unit: user_id
arms: {column: variant, control: control, weights: {control: 1, short: 1}}
period: {time: seen, start: 2026-09-01, end: 2026-09-28}
metrics:
  - {name: bought, type: proportion, column: bought, role: primary, goal: increase}
  - {name: revenue, type: mean, column: revenue, role: secondary, goal: increase}
"""
SECRET = "7e57-0f-a-person"
HEADER = ["user_id", "variant", "bought", "revenue", "seen"]
ROWS = [
    [
        f"{SECRET}-{place:03}",
        ("control", "short")[place % 2],
        str(int(place % 3 == 0)),
        f"{place % 7}.5",
        f"2026-09-{place // 2 % 28 + 1:02}T10:00:00",
    ]
    for place in range(60)
]


def table(rows=ROWS, header=HEADER, delimiter=","):
    return "".join(delimiter.join(row) + "\n" for row in [header, *rows])


def cells(column, *values, first=4):
    """Return the table with other values in a column, from a row on (counted from 1)."""
    rows = [list(row) for row in ROWS]
    for place, value in enumerate(values):
        rows[first - 1 + place][HEADER.index(column)] = value
    return table(rows)


def every(column, value):
    return cells(column, *[value] * len(ROWS), first=1)


def arms(control, weights):
    return "arms: {column: variant, control: control, weights: {control: 1, short: 1}}", (
        f"arms: {{column: variant, control: {control}, weights: {{{weights}}}}}"
    )


def metric(old, new):
    """Return an edit of the second metric, on line 8."""
    line = SPEC.splitlines()[7]
    return line, line.replace(old, new)


def add_to_metric(field):
    return metric("goal: increase}", f"goal: increase, {field}}}")


def write(folder, *edits, data=None, add="", file="units.csv"):
    spec = SPEC
    for old, new in edits:
        assert spec.count(old) == 1, old
        spec = spec.replace(old, new)
    (folder / "spec.yaml").write_text(spec + add, encoding="utf-8")
    data = table() if data is None else data
    (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(kind, message, call):
    """Check the class and the exact words, and what holds for every message."""
    with pytest.raises(OpslabError) as caught:
        call()
    error = caught.value
    assert type(error) is kind
    assert str(error) == message
    assert error.exit_code == 2
    for language in ("en", "fr"):
        assert SECRET not in error.text(language)
        assert error.text(language).count("\n") == len(error.problems) - 1
    assert error.text("fr") != error.text("en")
    assert all(problem.file or problem.field for problem in error.problems)


@dataclass(frozen=True)
class Case:
    """One thing that is broken, and the message."""

    id: str
    message: str
    edits: tuple[tuple[str, str], ...] = ()
    data: str | bytes | None = None
    add: str = ""
    file: str = "units.csv"


def cases(*rows):
    return pytest.mark.parametrize("case", [pytest.param(row, id=row.id) for row in rows])


YAML_TAIL = "; look at the indentation, colons and brackets up to this line."
BOOLEAN = (
    "YAML reads true as a boolean here, but a label is text; put it in quotes as it stands in the data:"
    ' "true".'
)
METHODS = "fixed, group_sequential, always_valid or bayesian"


@cases(
    Case(
        "yaml syntax",
        f"spec.yaml, line 10: This is not valid YAML: expected ',' or ']', but got "
        f"'<stream end>'{YAML_TAIL}",
        add="segments: [country\n",
    ),
    Case(
        "tab",
        "spec.yaml, line 10: This line is indented with a tab; YAML needs spaces.",
        add="decision:\n\tprimaries: all\n",
    ),
    Case(
        "control character",
        "spec.yaml, line 9: This line holds a control character; remove it.",
        add="owner: \x07\n",
    ),
    Case(
        "unknown field near",
        "spec.yaml, line 9, segmets: There is no field segmets here; did you mean segments?",
        add="segmets: [country]\n",
    ),
    Case(
        "unknown field",
        "spec.yaml, line 9, zzz: There is no field zzz here; remove it, or see opslab schema.",
        add="zzz: 1\n",
    ),
    Case(
        "unknown field of a metric",
        "spec.yaml, line 8, metrics[2].colunm: There is no field colunm here; did you mean column?",
        (metric("column:", "colunm:"),),
    ),
    Case(
        "missing field",
        "spec.yaml, line 1, unit: unit is missing; add it.",
        (("unit: user_id\n", ""),),
    ),
    Case(
        "missing field of a metric",
        "spec.yaml, line 8, metrics[2].goal: goal is missing; add it.",
        (metric(", goal: increase", ""),),
    ),
    Case(
        "missing type",
        "spec.yaml, line 8, metrics[2].type: type is missing; add it.",
        (metric("type: mean, ", ""),),
    ),
    Case(
        "missing value",
        "spec.yaml, line 3, unit: A value is missing here; write one, or remove the field.",
        (("unit: user_id", "unit:"),),
    ),
    Case(
        "choice near",
        "spec.yaml, line 9, design.method: fixd is not possible here; did you mean fixed? "
        f"(Possible: {METHODS}.)",
        add="design: {method: fixd}\n",
    ),
    Case(
        "choice",
        f"spec.yaml, line 9, design.method: t-test is not possible here; write {METHODS}.",
        add="design: {method: t-test}\n",
    ),
    Case(
        "metric type",
        "spec.yaml, line 8, metrics[2].type: maen is not possible here; did you mean mean? "
        "(Possible: mean, proportion, ratio or quantile.)",
        (metric("type: mean", "type: maen"),),
    ),
    Case(
        "blocking check",
        "spec.yaml, line 9, decision.blocking[1]: sample_rato is not possible here; did "
        "you mean sample_ratio? (Possible: plan_unchanged, sample_ratio, sample_ratio_segments, "
        "constant_split, phases_planned, leaked_units, missing_values, covariate_balance, covariate_coverage, trigger_ratio, "
        "silent_arm, event_names, event_units, repeated_events, repeated_rows, outcome_windows, period, "
        "weekly_cycle, outliers, skewness, cap, denominators, plausibility, steady_effect, few_clusters "
        "or totals_only.)",
        add="decision: {blocking: [sample_rato]}\n",
    ),
    Case(
        "number",
        "spec.yaml, line 9, design.alpha: small must be a number, with a point for decimals.",
        add="design: {alpha: small}\n",
    ),
    Case(
        "decimal comma",
        "spec.yaml, line 9, design.alpha: 0,05 must be a number, with a point for decimals.",
        add='design: {alpha: "0,05"}\n',
    ),
    Case(
        "mapping",
        'spec.yaml, line 9, design: fixed must be a list of "name: value" pairs.',
        add="design: fixed\n",
    ),
    Case(
        "list",
        "spec.yaml, line 9, segments: country must be a list, such as [a, b].",
        add="segments: country\n",
    ),
    Case(
        "date",
        "spec.yaml, line 5, period.start: 1/9/2026 must be a date, written YYYY-MM-DD.",
        (("start: 2026-09-01", "start: 1/9/2026"),),
    ),
    Case("text", "spec.yaml, line 3, unit: 7 must be text; put it in quotes.", (("user_id", "7"),)),
    Case(
        "no metrics",
        "spec.yaml, line 6, metrics: At least one entry is needed here.",
        ((SPEC[SPEC.index("metrics:") :], "metrics: []\n"),),
    ),
    Case(
        "alpha too large",
        "spec.yaml, line 9, design.alpha: 0.7 must be less than 0.5.",
        add="design: {alpha: 0.7}\n",
    ),
    Case(
        "alpha zero",
        "spec.yaml, line 9, design.alpha: 0 must be greater than 0.",
        add="design: {alpha: 0}\n",
    ),
    Case(
        "power",
        "spec.yaml, line 9, design.power: 80 must be less than 1.",
        add="design: {power: 80}\n",
    ),
    Case(
        "infinite",
        "spec.yaml, line 9, design.alpha: inf must be a number, with a point for decimals.",
        add="design: {alpha: inf}\n",
    ),
    Case(
        "repeated key",
        "spec.yaml, line 9, unit: unit is given twice; keep one of the two.",
        add="unit: account\n",
    ),
    Case(
        "python tag",
        "spec.yaml, line 9: The YAML tag !!python/object/apply:os.system has no place in a "
        "spec; remove it.",
        add="owner: !!python/object/apply:os.system [touch never]\n",
    ),
    Case(
        "own tag",
        "spec.yaml, line 9: The YAML tag !include has no place in a spec; remove it.",
        add="owner: !include other.yaml\n",
    ),
    Case(
        "tag of a key",
        "spec.yaml, line 9: The YAML tag !!python/name:os.system has no place in a spec; "
        "remove it.",
        add="!!python/name:os.system owner: growth\n",
    ),
    Case(
        "boolean label",
        f"spec.yaml, line 4, arms.control: {BOOLEAN}",
        (arms("true", "short: 1, long: 1"),),
    ),
    Case(
        "boolean key",
        f"spec.yaml, line 4, arms.weights.true: {BOOLEAN}",
        (arms("control", "control: 1, true: 1"),),
    ),
    Case(
        "number label",
        "spec.yaml, line 4, arms.control: YAML reads 1.1 as a number here, but a label is "
        "text; put it in quotes as it stands in the data.",
        (arms("1.10", "short: 1, long: 1"),),
    ),
    Case(
        "number key",
        "spec.yaml, line 4, arms.weights.1.10: YAML reads 1.10 as a number here, but a label "
        "is text; put it in quotes as it stands in the data.",
        (arms("control", "control: 1, 1.10: 1"),),
    ),
    Case(
        "null key",
        "spec.yaml, line 4: A name must stand before the colon; write a plain word.",
        (arms("control", "control: 1, ~: 1"),),
    ),
    Case(
        "list as key",
        "spec.yaml, line 9: A name must stand before the colon; write a plain word.",
        add="[a, b]: 1\n",
    ),
    Case(
        "control without weight",
        "spec.yaml, line 4, arms: The control arm old has no weight among control "
        "and short; add it to weights.",
        (arms("old", "control: 1, short: 1"),),
    ),
    Case(
        "one weight",
        "spec.yaml, line 4, arms: A comparison takes at least two arms; give each arm its weight.",
        (arms("control", "control: 1"),),
    ),
    Case(
        "weight zero",
        "spec.yaml, line 4, arms.weights.short: 0 must be greater than 0.",
        (arms("control", "control: 1, short: 0"),),
    ),
    Case(
        "unit is the arm",
        "spec.yaml, line 1: variant is given both as the unit and as the column of the arms; "
        "name two columns.",
        (("user_id", "variant"),),
    ),
    Case(
        "name without a letter",
        "spec.yaml, line 1, experiment: The name must hold at least one letter or digit.",
        (("short-label", "'?!'"),),
    ),
    Case(
        "metric twice",
        "spec.yaml, line 6, metrics: bought is used for more than one metric; give each its "
        "own name.",
        (metric("name: revenue", "name: bought"),),
    ),
    Case(
        "no primary",
        "spec.yaml, line 6, metrics: No metric has the role primary, the one that decides; "
        "give it to one metric.",
        (("role: primary", "role: secondary"),),
    ),
    Case(
        "no source",
        "spec.yaml, line 8, metrics[2]: The metric revenue needs either a column or an event, "
        "and only one of them.",
        (metric("column: revenue, ", ""),),
    ),
    Case(
        "two sources",
        "spec.yaml, line 8, metrics[2]: The metric revenue needs either a column or an event, "
        "and only one of them.",
        (add_to_metric("event: purchase"),),
    ),
    Case(
        "guardrail without margin",
        "spec.yaml, line 8, metrics[2]: A guardrail needs a margin: the deterioration "
        "you would still accept, such as {relative: 0.02}.",
        (metric("role: secondary", "role: guardrail"),),
    ),
    Case(
        "margin of a secondary",
        "spec.yaml, line 8, metrics[2]: A margin belongs to a guardrail, and this "
        "metric is secondary; remove it or change the role.",
        (add_to_metric("margin: {relative: 0.02}"),),
    ),
    Case(
        "margin of a primary",
        "spec.yaml, line 8, metrics[2]: A margin belongs to a guardrail, and this "
        "metric is primary; remove it or change the role.",
        (
            metric(
                "role: secondary, goal: increase",
                "role: primary, goal: increase, margin: {relative: 0.1}",
            ),
        ),
    ),
    Case(
        "relative and absolute",
        "spec.yaml, line 8, metrics[2].mde: Write either relative (0.02 for 2%) or "
        "absolute (in the metric's unit).",
        (add_to_metric("mde: {relative: 0.1, absolute: 1}"),),
    ),
    Case(
        "neither",
        "spec.yaml, line 8, metrics[2].mde: Write either relative (0.02 for 2%) or absolute (in "
        "the metric's unit).",
        (add_to_metric("mde: {}"),),
    ),
    Case(
        "negative size",
        "spec.yaml, line 8, metrics[2].mde.relative: -0.1 must be greater than 0.",
        (add_to_metric("mde: {relative: -0.1}"),),
    ),
    Case(
        "two caps",
        "spec.yaml, line 8, metrics[2].cap: Write either quantile or value.",
        (add_to_metric("cap: {quantile: 0.99, value: 100}"),),
    ),
    Case(
        "end before start",
        "spec.yaml, line 5, period: The end 2026-08-01 lies before the start "
        "2026-09-01; swap them.",
        (("end: 2026-09-28", "end: 2026-08-01"),),
    ),
    Case(
        "open period",
        "spec.yaml, line 5, period: With time, both start and end are needed: rows outside of "
        "the period are left out.",
        ((", end: 2026-09-28", ""),),
    ),
    Case(
        "window",
        "spec.yaml, line 8, metrics[2].window: The window must end after it starts.",
        (add_to_metric("window: {from: 7d, to: 7d}"),),
    ),
    Case(
        "duration",
        "spec.yaml, line 8, metrics[2].window.to: 2 weeks is not a duration; write a number and "
        "d, h or m, such as 7d or -28d.",
        (add_to_metric("window: {to: 2 weeks}"),),
    ),
    Case(
        "window without an event",
        "spec.yaml, line 8, metrics[2]: value, window and covariate_window belong to "
        "an event, and revenue names none; add event, or remove them.",
        (add_to_metric("window: {to: 7d}"),),
    ),
    Case(
        "value without an event",
        "spec.yaml, line 8, metrics[2]: value, window and covariate_window belong to "
        "an event, and revenue names none; add event, or remove them.",
        (add_to_metric("value: amount"),),
    ),
    Case(
        "event without a window",
        "spec.yaml, line 8, metrics[2]: revenue needs a window, such as {from: 7d, to: "
        "8d}: without one, units that entered early would have had longer.",
        (metric("column: revenue", "event: buy"),),
    ),
    Case(
        "window before assignment",
        "spec.yaml, line 8, metrics[2]: The window of revenue starts before the "
        "assignment, when nothing could have changed; start at 0d or later.",
        (metric("column: revenue", "event: buy, window: {from: -1d, to: 7d}"),),
    ),
    Case(
        "covariate after exposure",
        "spec.yaml, line 8, metrics[2]: The covariate_window of revenue ends after "
        "the assignment, so the covariate may contain the effect itself; end at 0d or earlier.",
        (
            metric(
                "column: revenue",
                "event: buy, window: {to: 7d}, covariate_window: {from: -7d, to: 1d}",
            ),
        ),
    ),
    Case(
        "covariate of a quantile",
        "spec.yaml, line 8, metrics[2].quantile: revenue is of type quantile, for which covariates "
        "bring no precision; remove them, or use type: mean, proportion or ratio.",
        (metric("type: mean", "type: quantile, quantile: 0.9, covariates: [before]"),),
    ),
    Case(
        "segment by an outcome",
        "spec.yaml, line 1: bought is an outcome, the unit or the arm; segment only "
        "by what was known before the experiment.",
        add="segments: [bought]\n",
    ),
    Case(
        "totals in segments",
        "spec.yaml, line 1: Daily totals contain no units, so segments cannot be computed; "
        "remove it, or provide one row per unit.",
        (("units.csv}", "units.csv, rows: totals}"),),
        add="segments: [a]\n",
    ),
    Case(
        "table and logs",
        "spec.yaml, line 2, data: path, table, query and assignments/events exclude one another; keep "
        "the one that fits your data.",
        (("units.csv}", "units.csv, events: events.csv}"),),
    ),
    Case(
        "half of the logs",
        "spec.yaml, line 2, data: Logs need both assignments and events; add the missing one.",
        (("path: units.csv", "events: events.csv"),),
    ),
    Case(
        "several at once",
        "spec.yaml, line 1, unit: unit is missing; add it.\n"
        "spec.yaml, line 3, arms.weights.short: -1 must be greater than 0.\n"
        "spec.yaml, line 7, metrics[2].type: medain is not possible here; did you mean mean? (Possible: mean, "
        "proportion, ratio or quantile.)\nspec.yaml, line 8, zzz: There is no field zzz here; remove it, or see opslab schema.",
        (
            ("unit: user_id\n", ""),
            arms("control", "control: 1, short: -1"),
            metric("mean", "medain"),
        ),
        add="zzz: 1\n",
    ),
)
def test_broken_spec(case, here):
    write(here, *case.edits, add=case.add)
    refused(SpecError, case.message, lambda: Experiment.load("spec.yaml"))
    assert not (here / "never").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "spec.yaml: The spec is empty; opslab schema experiment shows what it may hold."),
        (
            b"# nothing\n",
            "spec.yaml: The spec is empty; opslab schema experiment shows what it may hold.",
        ),
        (
            b"- a\n",
            'spec.yaml, line 1: A spec is a list of "name: value" lines; this file holds something else.',
        ),
        (
            b"hello",
            'spec.yaml, line 1: A spec is a list of "name: value" lines; this file holds something else.',
        ),
        (
            b"a: b\nc: \xe9\n",
            "spec.yaml, line 2: This line is not UTF-8 text; save the file as UTF-8.",
        ),
        (
            b"#" * 200_001,
            "spec.yaml: A spec cannot be 200,001 bytes long; data belongs in a data file.",
        ),
        (
            None,
            "spec.yaml: A spec is wanted here, which is a YAML file that names the sheet or folder; data/sample and sheets hold some to copy, and `opslab describe NOTEBOOK` tells which.",
        ),
    ],
    ids=["empty", "comment", "list", "text", "encoding", "large", "folder"],
)
def test_no_spec_at_all(content, message, here):
    if content is None:
        (here / "spec.yaml").mkdir()
    else:
        (here / "spec.yaml").write_bytes(content)
    refused(SpecError, message, lambda: Experiment.load("spec.yaml"))


def test_spec_that_is_not_there(here):
    message = (
        "spec.yaml: This spec is not there; check the path, it starts at the workspace's root."
    )
    refused(SpecError, message, lambda: Experiment.load("spec.yaml"))
    write(here)
    message = "spec.yml: This spec is not there; did you mean spec.yaml?"
    refused(SpecError, message, lambda: Experiment.load("spec.yml"))
    message = "a\N{REPLACEMENT CHARACTER}b: This spec cannot be read (embedded null byte); check that it is a file, and its permissions."
    refused(SpecError, message, lambda: Experiment.load("a\0b"))


def test_experiment_built_in_python():
    def build():
        Experiment(
            experiment="x",
            unit="user_id",
            arms={"column": "variant", "control": True, "weights": {"a": 1, 1.5: 1}},
            metrics=({"name": "m", "type": "mean", "column": "m", "role": "primary"},),
            dta={"path": "x.csv"},
        )

    message = (
        f"arms.control: {BOOLEAN}\n"
        "arms.weights: YAML reads 1.5 as a number here, but a label is text; put it in quotes as it "
        "stands in the data.\n"
        "metrics[1].goal: goal is missing; add it.\n"
        "dta: There is no field dta here; did you mean data?"
    )
    refused(SpecError, message, build)


NEEDS = "The design {} also needs {}; add it before the start."
OTHERS = "{} belongs to the design {}; remove it, or choose that method."


@pytest.mark.parametrize(
    ("design", "field", "said"),
    [
        ("{method: group_sequential}", "", NEEDS.format("group_sequential", "units and looks")),
        ("{method: always_valid}", "", NEEDS.format("always_valid", "units")),
        ("{method: bayesian}", "", NEEDS.format("bayesian", "prior and loss")),
        ("{looks: 3}", "", OTHERS.format("looks", "group_sequential")),
        ("{spending: {family: pocock}}", "", OTHERS.format("spending", "group_sequential")),
        ("{prior: {sd: 0.1}}", "", OTHERS.format("prior", "bayesian")),
        (
            "{method: bayesian, loss: 0.1, prior: {sd: 0}}",
            ".prior.sd",
            "0 must be greater than 1e-12.",
        ),
    ],
)
def test_a_design_has_its_own_fields(design, field, said, here):
    write(here, ("metrics:\n", f"design: {design}\nmetrics:\n"))
    message = f"spec.yaml, line 6, design{field}: {said}"
    refused(SpecError, message, lambda: Experiment.load("spec.yaml"))


QUANTILE = (
    "bought is of type quantile, which is not computed within strata or phases; remove one of them, or "
    "use type: mean, proportion or ratio."
)


def test_a_form_that_a_metric_does_not_have_is_refused_by_name(here):
    plain = "metrics:\n  - {name: bought, type: proportion,"
    quantile = "metrics:\n  - {name: bought, type: quantile, quantile: 0.9,"
    write(here, (plain, f"strata: [pair]\n{quantile}"))
    message = f"spec.yaml, line 8, metrics[1].type: {QUANTILE}"
    refused(SpecError, message, lambda: analyze(Experiment.load("spec.yaml")))


def test_what_is_refused_is_told_in_the_order_of_the_file(here):
    write(
        here,
        add_to_metric("per: row"),
        add="design: {method: always_valid, units: 100}\n",
    )
    with pytest.raises(SpecError) as caught:
        analyze(Experiment.load("spec.yaml"))
    lines = [problem.line for problem in caught.value.problems]
    assert lines == sorted(lines)
    assert len(lines) > 1


UNIT_TABLE = """\
experiment: checkout-button
question: Does the short label raise completed checkouts?
owner: growth
data: {path: checkout.parquet, rows: unit}
unit: user_id
arms: {column: variant, control: control, weights: {control: 1, short_label: 1}}
period: {time: exposed_at, start: 2026-09-01, end: 2026-09-28}
design: {method: fixed, alpha: 0.05, power: 0.8}
metrics:
  - {name: checkout, type: proportion, column: converted, role: primary, goal: increase, mde: {relative: 0.02}}
  - {name: revenue, type: mean, column: revenue, role: secondary, goal: increase, covariates: [revenue_before], cap: {quantile: 0.999}, missing: zero}
  - {name: order value, type: ratio, numerator: revenue, denominator: orders, role: secondary, goal: increase}
  - {name: load p90, type: quantile, column: load_ms, quantile: 0.9, role: guardrail, goal: decrease, margin: {relative: 0.02}}
segments: [country, platform]
decision: {primaries: all, several_arms: best_passing, blocking: [sample_ratio, leaked_units]}
"""
LOGS = """\
experiment: onboarding
data: {assignments: assignments.parquet, events: events.parquet}
unit: user_id
arms: {column: variant, control: control}
metrics:
  - {name: kept on day 7, type: proportion, event: session, window: {from: 7d, to: 8d}, role: primary, goal: increase, mde: {absolute: 0.01}}
  - {name: spend 14 days, type: mean, event: purchase, value: amount, window: {to: 14d}, covariate_window: {from: -28d, to: 0d}, role: secondary, goal: increase}
"""
STORES = """\
experiment: shelf
data: {path: sales.csv, rows: finer}
unit: store_id
strata: [pair]
arms: {column: arm, control: old}
metrics:
  - {name: sales, type: mean, column: sales, per: unit, role: primary, goal: increase}
  - {name: basket, type: mean, column: basket, per: row, role: secondary, goal: increase}
"""


def test_the_form_of_the_data_rules_fields_out(here):
    write(here, add_to_metric("per: row"))
    message = (
        "spec.yaml, line 8, metrics[2].per: revenue is measured per row, and per: row needs rows finer "
        "than the unit; write data: {rows: finer}, or remove per."
    )
    refused(SpecError, message, lambda: analyze(Experiment.load("spec.yaml")))
    write(here, metric("column: revenue", "event: buy, window: {to: 7d}"))
    message = (
        "spec.yaml, line 8, metrics[2].event: revenue counts events, but the data is a table; write data: "
        "{assignments: ..., events: ...}, or name a column."
    )
    refused(SpecError, message, lambda: analyze(Experiment.load("spec.yaml")))


def worked(folder, spec):
    """Write a worked spec and data that fits it; return the result."""
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    random, n = np.random.default_rng(2), 600
    first = pd.Timestamp("2026-09-01")
    days = pd.to_timedelta(np.arange(n) % 28, unit="D")
    units = pd.DataFrame(
        {"user_id": np.arange(n), "exposed_at": first + days, "country": "fr", "platform": "web"}
    )
    units["variant"] = np.where(random.random(n) < 0.5, "control", "short_label")
    units["converted"], units["orders"] = random.integers(0, 2, n), random.integers(1, 4, n)
    units["revenue"], units["revenue_before"] = random.gamma(2, 9, (2, n))
    units["load_ms"] = random.normal(300, 40, n)
    units.to_parquet(folder / "checkout.parquet")
    units[["user_id", "variant", "exposed_at"]].to_parquet(folder / "assignments.parquet")
    events = pd.DataFrame(
        {
            "user_id": random.integers(0, n, 4_000),
            "event": random.choice(["session", "purchase"], 4_000),
        }
    )
    events["at"] = first + pd.to_timedelta(random.uniform(-20, 60, 4_000), unit="D")
    events["amount"] = np.where(events.event == "purchase", random.gamma(2, 9, 4_000), np.nan)
    events.to_parquet(folder / "events.parquet")
    sales = pd.DataFrame({"store_id": np.repeat(np.arange(24), 5)})
    sales["pair"], sales["arm"] = sales.store_id // 2, np.where(sales.store_id % 2, "old", "new")
    sales["sales"], sales["basket"] = random.gamma(9, 9, (2, 120))
    sales.to_csv(folder / "sales.csv", index=False)
    return analyze(Experiment.load("spec.yaml"))


@pytest.mark.parametrize(
    ("spec", "methods"),
    [
        (UNIT_TABLE, ["welch", "cuped", "ratio", "quantile"]),
        (LOGS, ["score", "cuped"]),
        (STORES, ["paired", "paired_ratio"]),
    ],
    ids=["unit table", "logs", "stores"],
)
def test_worked_specs_run_as_written(spec, methods, here):
    result = worked(here, spec)
    assert [one.method for one in result.comparisons] == methods
    assert len(result.segments) == (6 if spec == UNIT_TABLE else 0)


MISSING_END = "the path starts at the spec's folder."
BAD_ROW = "This row does not have the 5 columns of the header; look for a stray delimiter or quote."
OPEN_QUOTE = "A quote is out of place here, or is never closed; look for a stray quote."
TWO_ENCODINGS = "This line is not UTF-8 text, but other lines are; save the whole file as UTF-8."
FORMATS = (
    ".csv, .tsv, .txt, .xlsx, .xlsm, .xlsb, .xls, .ods, .json, .jsonl, .ndjson, .ics, .parquet"
)


@cases(
    Case(
        "missing file near",
        "spec.yaml, line 2, data.path: The data file units.cvs is not there; did you "
        "mean units.csv?",
        (("units.csv", "units.cvs"),),
    ),
    Case(
        "missing file",
        f"spec.yaml, line 2, data.path: The data file exports/q3.parquet is not there; "
        f"{MISSING_END}",
        (("units.csv", "exports/q3.parquet"),),
    ),
    Case(
        "no home",
        f"spec.yaml, line 2, data.path: The data file ~nobody-here/q3.parquet is not there; "
        f"{MISSING_END}",
        (("units.csv", "~nobody-here/q3.parquet"),),
    ),
    Case(
        "folder",
        "spec.yaml, line 2, data.path: This is a folder; name one file.",
        (("units.csv", "."),),
    ),
    Case(
        "no data",
        "spec.yaml, line 1, data: The spec names no data; write data: {path: file.csv, rows: "
        "unit}.",
        (("data: {path: units.csv}\n", ""),),
    ),
    Case("empty file", "units.csv: The file is empty; export it again.", data=""),
    Case(
        "header only",
        "units.csv: The table has a header but no rows; export it again.",
        data=table([]),
    ),
    Case(
        "suffix",
        f"units.odt: Files ending in .odt cannot be read; export it as one of {FORMATS}.",
        (("units.csv", "units.odt"),),
        file="units.odt",
    ),
    Case(
        "no workbook",
        "units.xlsx: This is not a complete workbook, or it has a password, or one of its cells is "
        "damaged; open it in a spreadsheet and save it as .xlsx, without a password.",
        (("units.csv", "units.xlsx"),),
        file="units.xlsx",
    ),
    Case(
        "no suffix",
        f"units: The name of this file has no ending; name a file of one of these kinds: {FORMATS}.",
        (("units.csv", "units"),),
        file="units",
    ),
    Case(
        "no parquet",
        "units.parquet: The file cannot be read (Invalid Input Error: No magic bytes found at "
        "end of file …); export it again.",
        (("units.csv", "units.parquet"),),
        file="units.parquet",
    ),
    Case(
        "columns missing",
        "spec.yaml, line 3, unit: There is no column account in units.csv; its columns "
        "are user_id, variant, bought, revenue and seen.\n"
        "spec.yaml, line 4, arms.column: There is no column varaint in units.csv; did you mean variant?\n"
        "spec.yaml, line 5, period.time: There is no column sen in units.csv; did you mean seen?\n"
        "spec.yaml, line 8, metrics[2].column: There is no column revenu in units.csv; did you mean "
        "revenue?",
        (
            ("user_id", "account"),
            ("column: variant", "column: varaint"),
            ("time: seen", "time: sen"),
            metric("column: revenue", "column: revenu"),
        ),
    ),
    Case(
        "one arm",
        'units.csv, variant: All rows are in the arm "short"; a comparison takes two arms, and '
        "there are no rows of control; export those too.",
        data=every("variant", "short"),
    ),
    Case(
        "only the control",
        'units.csv, variant: All rows are in the arm "control", and a comparison takes '
        "two arms; export the rows of the other one too.",
        ((", weights: {control: 1, short: 1}", ""),),
        data=every("variant", "control"),
    ),
    Case(
        "unknown arm near",
        'units.csv, variant: The arm "Short" (2 rows) is not among the spec\'s arms; did '
        'you mean "short"?',
        data=cells("variant", "Short", "Short"),
    ),
    Case(
        "unknown arm",
        'units.csv, variant: The arm "beta" (1 row) is not among the spec\'s arms control and '
        "short; add it to arms.weights or remove its rows.",
        data=cells("variant", "beta"),
    ),
    Case(
        "absent arm",
        "units.csv, variant: There are no rows of long; the data holds control and short. "
        "Correct the arms in the spec, or export all rows.",
        (arms("control", "control: 1, short: 1, long: 1"),),
    ),
    Case(
        "absent control",
        "units.csv, variant: There are no rows of old; the data holds control and short. "
        "Correct the arms in the spec, or export all rows.",
        (("control: control, weights: {control: 1, short: 1}", "control: old"),),
    ),
    Case(
        "too many arms",
        "units.csv, variant: This column holds 60 different labels; it does not look like "
        "the column of the arms.",
        data=cells("variant", *map(str, range(60)), first=1),
    ),
    Case(
        "all leaked",
        "units.csv, user_id: 1 unit is in more than one arm (see row 61), and without it no "
        "rows of control and short are left; check that this column is what was randomised.",
        data=every("user_id", SECRET),
    ),
    Case(
        "all empty",
        "units.csv, revenue: All 60 values are empty; export the column again or remove the "
        "metric.",
        data=every("revenue", ""),
    ),
    Case(
        "empty without a policy",
        "spec.yaml, line 8, metrics[2].missing: revenue in units.csv has 3 empty "
        "values (5.0%); say what they mean: missing: drop (leave the unit out of this metric) or missing: "
        "zero.",
        data=cells("revenue", "", "", ""),
    ),
    Case(
        "text",
        'units.csv, revenue: Row 5 holds the text "much" in a column of numbers (2 such rows); '
        "correct or empty it, with a point for decimals.",
        data=cells("revenue", "much", "more"),
    ),
    Case(
        "words for nothing",
        "spec.yaml, line 8, metrics[2].missing: revenue in units.csv has 2 empty values (3.3%); "
        "say what they mean: missing: drop (leave the unit out of this metric) or missing: zero.",
        data=cells("revenue", "n/a", "nan"),
    ),
    Case(
        "decimal comma",
        "units.csv, revenue: 59 cells have a decimal point and 1 a decimal comma; correct the column, "
        "or say `decimal: point` or `decimal: comma` and lose the others.",
        data=cells("revenue", '"12,5"'),
    ),
    Case(
        "not binary",
        "units.csv, bought: Row 5 holds 2, but a proportion takes 0 and 1, or true and false "
        "(1 such row); correct it, or use type: mean.",
        data=cells("bought", "2"),
    ),
    Case(
        "infinite",
        "units.csv, revenue: Row 5 holds an infinite value; correct or empty it.",
        data=cells("revenue", "-inf"),
    ),
    Case(
        "two columns at once",
        "units.csv, bought: Row 5 holds 0.5, but a proportion takes 0 and 1, or true "
        "and false (1 such row); correct it, or use type: mean.\n"
        'units.csv, revenue: Row 10 holds the text "x" in a column of numbers (1 such row); correct or empty '
        "it, with a point for decimals.",
        data=cells("bought", "0.5").replace(ROWS[8][3] + "," + ROWS[8][4], "x," + ROWS[8][4], 1),
    ),
    Case(
        "repeated units",
        "units.csv, user_id: 2 units appear in more than one row of the same arm (see row "
        "62); keep one row per unit, or sum the rows of a unit first.",
        data=table([*ROWS, ROWS[4], ROWS[7]]),
    ),
    Case(
        "no unit",
        "units.csv, user_id: 2 rows have no unit (the first is row 5); complete or remove them.",
        data=cells("user_id", "", ""),
    ),
    Case(
        "no arm",
        "units.csv, variant: 1 row has no arm (the first is row 5); complete or remove it.",
        data=cells("variant", ""),
    ),
    Case(
        "two encodings",
        f"units.csv, line 63: {TWO_ENCODINGS}",
        data=table().encode()
        + "\u00e9t\u00e9,control,1,1,2026-09-02\n".encode()
        + b"\xe9t\xe9,control,1,1,2026-09-02\n",
    ),
    Case(
        "two encodings, far down",
        f"units.csv, line 3063: {TWO_ENCODINGS}",
        data=table(
            [*ROWS, *([[f"{SECRET}{place}", *ROWS[0][1:]] for place in range(3000)])]
        ).encode()
        + "\u00e9t\u00e9,control,1,1,2026-09-02\n".encode()
        + b"\xe9t\xe9,control,1,1,2026-09-02\n",
    ),
    Case("short row", f"units.csv, line 62: {BAD_ROW}", data=table() + f"{SECRET},short\n"),
    Case(
        "long row",
        f"units.csv, line 62: {BAD_ROW}",
        data=table() + f"{SECRET},short,1,1,2026-09-02,x\n",
    ),
    Case(
        "open quote",
        f"units.csv, line 62: {OPEN_QUOTE}",
        data=table() + f'{SECRET},short,"1,1,2026-09-02\n{SECRET}2,short,1,1,2026-09-02\n',
    ),
    Case(
        "repeated header",
        "units.csv, line 1: More than one column is called bought; rename the columns.",
        data=table(header=["user_id", "variant", "bought", "bought", "seen"]),
    ),
    Case(
        "similar header",
        "units.csv, line 1: The columns Bought and bought differ by upper and lower case "
        "only; rename them.",
        data=table(header=["user_id", "variant", "bought", "Bought", "seen"]),
    ),
    Case(
        "blank header",
        "spec.yaml, line 8, metrics[2].column: There is no column revenue in units.csv; its "
        "columns are user_id, variant, bought, column 4 and seen.",
        data=table(header=["user_id", "variant", "bought", " ", "seen"]),
    ),
    Case(
        "reserved header",
        "units.csv, rowid: The name of this column is kept for opslab; rename the column.",
        data=table(header=["rowid", "variant", "bought", "revenue", "seen"]),
    ),
    Case(
        "one column",
        "units.csv: No delimiter gives more than one column; separate the columns by commas, "
        "semicolons, tabs or bars.",
        data="user_id\n1\n",
    ),
    Case(
        "no row in the period",
        "units.csv: No row falls in the period from 2025-09-01 to 2025-09-28; check "
        "the dates in the spec.",
        (("start: 2026-09-01, end: 2026-09-28", "start: 2025-09-01, end: 2025-09-28"),),
    ),
    Case(
        "bad time",
        'units.csv, seen: Row 5 holds "soon", which is not a date or time; write YYYY-MM-DD or '
        "YYYY-MM-DDTHH:MM:SS.",
        data=cells("seen", "soon"),
    ),
    Case(
        "unclear day",
        "units.csv, seen: 1 date is written like 04/03/2025, and nothing in the file says whether the "
        "day comes first; say `day_first: true` or `day_first: false`.",
        data=cells("seen", "4/9/26"),
    ),
    Case(
        "no moment",
        'units.csv, seen: Row 5 holds "soon", which is not a date or time; write YYYY-MM-DD or '
        "YYYY-MM-DDTHH:MM:SS.",
        data=cells("seen", "soon"),
    ),
    Case(
        "no such day",
        "units.csv, seen: 1 cell is not a date or time, the first in row 5 (“2026-02-30”); correct or empty it.",
        data=cells("seen", "2026-02-30"),
    ),
    Case(
        "no time",
        "units.csv, seen: Row 5 has no date or time; complete it, or remove the row.",
        data=cells("seen", ""),
    ),
    Case(
        "totals of several rows without days",
        "spec.yaml, line 5, period: Totals with several rows per arm need the day of each row; "
        "write period: {time: column, start: ..., end: ...}, or provide a single row per arm.",
        (
            ("units.csv}", "units.csv, rows: totals}"),
            ("time: seen, ", ""),
            ("unit: user_id", "unit: users"),
        ),
        data="users,variant,bought,revenue\n"
        + "".join(f"20,{arm},5,80\n" for arm in ("control", "short") * 2),
    ),
)
def test_broken_data(case, here):
    write(here, *case.edits, data=case.data, add=case.add, file=case.file)
    refused(DataError, case.message, lambda: analyze(Experiment.load("spec.yaml")))


def test_data_given_by_a_path_that_is_wrong(here):
    write(here)
    experiment = Experiment.load("spec.yaml")
    message = "unit.csv: This file is not there; did you mean units.csv?"
    refused(DataError, message, lambda: analyze(experiment, "unit.csv"))
    refused(
        DataError, "q3: This file is not there; check the path.", lambda: analyze(experiment, "q3")
    )
    message = ".: This is a folder; name one file."
    refused(DataError, message, lambda: analyze(experiment, here))
    name = "d" * 300 + ".csv"
    message = f"{name}: The file cannot be read (File name too long); export it again."
    refused(DataError, message, lambda: analyze(experiment, name))


WRONG_OBJECT = "cannot be read; give a path, a pandas or Polars data frame, an Arrow table, or a DuckDB relation."


def frame():
    return pd.DataFrame([dict(zip(HEADER, row, strict=True)) for row in ROWS]).assign(
        bought=lambda data: data["bought"].astype(int),
        revenue=lambda data: data["revenue"].astype(float),
        seen=lambda data: pd.to_datetime(data["seen"]),
    )


def without_time(data):
    data.loc[3, "seen"] = pd.NaT
    return data


def mixed(data):
    longer = pd.concat([data] * 50, ignore_index=True)
    numbers = list(range(len(longer) - 1))
    return longer.assign(user_id=pd.Series([*numbers, SECRET], dtype=object))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: [1, 2], f"data: A list {WRONG_OBJECT}"),
        (lambda data: data["variant"], f"data: A pandas.Series {WRONG_OBJECT}"),
        (
            lambda data: pl.from_pandas(data).lazy().group_by("variant"),
            f"data: A polars.LazyGroupBy {WRONG_OBJECT}",
        ),
        (lambda data: data.head(0), "data: The table has a header but no rows; export it again."),
        (
            lambda data: data.drop(columns="revenue"),
            (
                "spec.yaml, line 8, metrics[2].column: There is no column revenue in data; its columns are "
                "user_id, variant, bought and seen."
            ),
        ),
        (
            lambda data: data.assign(revenue=data["seen"].dt.date),
            (
                "data, revenue: A column of type date cannot be averaged; name a column of numbers, or "
                "of true and false."
            ),
        ),
        (
            lambda data: data.assign(seen=1),
            "data, seen: A column of type bigint holds no dates or times; name a column that does.",
        ),
        (without_time, "data, seen: Row 4 has no date or time; complete it, or remove the row."),
        (
            lambda data: data.rename(columns={"revenue": "opslab_row"}),
            "data, opslab_row: The name of this column is kept for opslab; rename the column.",
        ),
        (
            mixed,
            (
                "data: The data frame cannot be read (Invalid Input Error: Failed to cast value: Could not "
                "convert string … to INT32); give every column one type, such as text or numbers."
            ),
        ),
    ],
    ids=[
        "list",
        "series",
        "grouped",
        "no rows",
        "column",
        "dates",
        "numbers",
        "no time",
        "reserved",
        "mixed",
    ],
)
def test_broken_frame(make, message, here):
    write(here)
    experiment = Experiment.load("spec.yaml")
    refused(DataError, message, lambda: analyze(experiment, make(frame())))


def test_broken_parquet(here):
    write(here, ("units.csv", "units.parquet"))
    experiment = Experiment.load("spec.yaml")
    data = pl.from_pandas(frame())

    def refuse(broken, message):
        broken.write_parquet("units.parquet")
        refused(DataError, message, lambda: analyze(experiment))

    refuse(data.head(0), "units.parquet: The table has a header but no rows; export it again.")
    nowhere = (
        pl.when(pl.col("revenue") < 1).then(float("inf")).otherwise("revenue").alias("revenue")
    )
    refuse(
        data.with_columns(nowhere),
        "units.parquet, revenue: Row 1 holds an infinite value; correct or empty it.",
    )
    message = (
        "units.parquet, variant: 60 rows have no arm (the first is row 1); complete or remove them."
    )
    refuse(data.with_columns(variant=pl.lit(None, pl.String)), message)
    message = "units.parquet, file_row_number: The name of this column is kept for opslab; rename the column."
    refuse(data.rename({"revenue": "file_row_number"}), message)


@pytest.mark.parametrize("label", ["on", "off", "no", "yes", "1", "0012", "null-ish", "+1", "0x10"])
@pytest.mark.parametrize("weights", ["", ", weights: {{{label}: 1, short: 1}}"])
def test_labels_that_look_like_something_else(label, weights, here):
    write(
        here,
        (
            "control: control, weights: {control: 1, short: 1}",
            f"control: {label}" + weights.format(label=label),
        ),
        data=table().replace(",control,", f",{label},"),
    )
    result = analyze(Experiment.load("spec.yaml"))
    assert {arm.name: arm.units for arm in result.arms} == {label: 30, "short": 30}
    assert {one.control for one in result.comparisons} == {label}


LEAKED = [
    [ROWS[4][0], "short", "1", "2.5", "2026-09-03"],
    [ROWS[6][0], "short", "1", "2.5", "2026-09-03"],
]


def test_unit_in_two_arms_is_a_failed_check_that_blocks(here):
    write(here, data=table([*ROWS, *LEAKED]))
    result = analyze(Experiment.load("spec.yaml"))
    assert result.decision.action == "stop_broken"
    assert result.broken
    check = next(check for check in result.checks if check.name == "leaked_units")
    assert (check.status, check.value, check.blocking) == ("fail", 2, True)
    assert result.voice("en").message(check.detail) == (
        "2 units were in more than one arm (3.33% of all, at most 1% is usual; spread over the arms: "
        "p\u00a0=\u00a00.52; see row 62). Their rows are left out, and those that remain may no longer be "
        "comparable; look at how units are assigned and recognised."
    )
    assert result.voice("fr").message(check.detail) == (
        "2 unités étaient dans plus d'un bras (3,33\u202f% du total, 1 % au plus étant "
        "habituel\u00a0; répartition entre les bras\u00a0: p\u00a0=\u00a00,52\u00a0; voir la ligne 62). "
        "Leurs lignes sont écartées, et celles qui restent ne sont peut-être plus comparables\u00a0; "
        "examinez comment les unités sont affectées et reconnues."
    )
    assert result.data_used.leaked_rows == 4
    assert result.data_used.rows_used == 58
    assert {arm.name: arm.units for arm in result.arms} == {"control": 28, "short": 30}
    assert all(one.n == (30, 28) for one in result.comparisons)
    assert result.evidence() == []
    assert SECRET not in str(result.record())
    assert SECRET not in repr(result)


def test_unit_in_two_arms_that_does_not_block(here):
    accept = "decision: {accept: {leaked_units: shared devices}}\n"
    write(here, data=table([*ROWS, *LEAKED]), add=accept)
    result = analyze(Experiment.load("spec.yaml"))
    check = next(check for check in result.checks if check.name == "leaked_units")
    assert (check.status, check.blocking) == ("fail", False)
    assert result.decision.action != "stop_broken"
    for language in ("en", "fr"):
        detail = result.voice(language).message(check.detail)
        assert detail in result.first_screen(language).reasons


def test_the_sample_of_these_tests_is_sound(here):
    write(here)
    result = analyze(Experiment.load("spec.yaml"))
    assert {check.status for check in result.checks} == {"pass"}
    assert result.data_used.rows_used == 60
    assert re.fullmatch(r"units\.csv", result.data_used.reading.name)
    assert Path("units.csv").is_file()


def written(rows):
    return "\n".join(";".join(row) for row in [HEADER, *rows]) + "\n"


FRENCH = [
    [
        unit,
        arm,
        bought,
        f"1\N{NARROW NO-BREAK SPACE}{float(revenue):06.2f}".replace(".", ","),
        "/".join(seen[:10].split("-")[::-1]),
    ]
    for unit, arm, bought, revenue, seen in ROWS
]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_french_spreadsheet_is_read_as_what_it_is(encoding, here):
    """Decimal comma, parted thousands, day first: each decided over its column and told in the record."""
    write(here, data=written(FRENCH).encode(encoding))
    result = analyze(Experiment.load("spec.yaml"))
    revenue = next(one for one in result.comparisons if one.metric == "revenue")
    arms = {
        arm: [1000 + float(row[3]) for row in ROWS if row[1] == arm] for arm in ("control", "short")
    }
    expected = tuple(sum(arms[name]) / len(arms[name]) for name in ("short", "control"))
    assert revenue.estimate == pytest.approx(expected, rel=1e-12)
    (told,) = result.record()["imports"]
    assert (told["encoding"], told["delimiter"]) == (encoding.removesuffix("-sig"), "semicolon")
    assert {(one["key"], one["column"]) for one in told["decisions"]} >= {
        ("tables.decided_decimal", "revenue"),
        ("tables.decided_first", "seen"),
    }


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_of_texts_is_read_as_a_file_is(library, here):
    write(here)
    experiment = Experiment.load("spec.yaml")
    module = pytest.importorskip(library)
    columns = dict(zip(HEADER, map(list, zip(*ROWS, strict=True)), strict=True))
    found = analyze(experiment, module.DataFrame(columns))
    assert [one.estimate for one in found.comparisons] == [
        one.estimate for one in analyze(experiment).comparisons
    ]


def test_an_unclear_file_is_read_once_the_question_is_answered(here):
    rows = [[*row[:4], f"09/{1 + place // 2 % 12:02}/2026"] for place, row in enumerate(ROWS)]
    write(here, data=table(rows))
    refused(
        DataError,
        "units.csv, seen: 56 dates are written like 04/03/2025, and nothing in the file says whether the day comes "
        "first; say `day_first: true` or `day_first: false`.",
        lambda: analyze(Experiment.load("spec.yaml")),
    )
    write(here, ("path: units.csv", "path: units.csv, day_first: false"), data=table(rows))
    assert analyze(Experiment.load("spec.yaml")).data_used.rows_used == 60


def test_a_column_without_a_name_harms_no_analysis(here):
    """As pandas writes its index."""
    write(here)
    plain = analyze(Experiment.load("spec.yaml"))
    rows = [[str(number), *row] for number, row in enumerate(ROWS)]
    write(here, data=table(rows, header=["", *HEADER]))
    assert [one.lift for one in analyze(Experiment.load("spec.yaml")).comparisons] == [
        one.lift for one in plain.comparisons
    ]
