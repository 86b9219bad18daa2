"""What a result is asked beyond its plan: the answers of plain analyses, marked, and deciding nothing."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from conftest import page_of
from opslab import experiments, workspace
from opslab.errors import DataError, ParameterError, SpecError
from opslab.experiments.metrics import Mean
from opslab.experiments.record import plain
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES
from opslab.messages import text as words
from opslab.results import Message

FIELDS = {
    "experiment": "asked",
    "unit": "user",
    "arms": {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
}
BOUGHT = {
    "name": "bought",
    "type": "proportion",
    "column": "bought",
    "role": "primary",
    "goal": "increase",
}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "goal": "increase"}


def experiment(**fields):
    return Experiment(**FIELDS | {"metrics": [BOUGHT]} | fields)


def rows(units=2_000):
    draw = np.random.default_rng(3)
    frame = pd.DataFrame({"user": np.arange(units), "arm": np.resize(["old", "new"], units)})
    bought = draw.random(units) < np.where(frame.arm == "new", 0.4, 0.25)
    return frame.assign(
        bought=bought.astype(int),
        spend=(bought * draw.exponential(30, units)).round(2),
        country=np.resize(["de", "de", "fr", "fr", "us", "us"], units),
        number=np.arange(units),
    )


def same(answer, expected):
    """Assert that the effects are those of a plain analysis."""
    for part in ("comparisons", "segments", "interactions", "arms"):
        assert plain(getattr(answer, part)) == plain(getattr(expected, part))


@pytest.fixture
def result():
    return experiments.analyze(experiment(), rows())


def test_by_a_column_is_the_analysis_with_that_segment(result):
    answer = result.by("country")
    same(answer, experiments.analyze(experiment(segments=["country"]), rows()))
    assert {known.segment for known in answer.segments} == {
        "country: de",
        "country: fr",
        "country: us",
    }
    assert "segments" in answer.figures


def test_by_another_column_asks_about_all_of_them(result):
    """The family that p-values are adjusted over is what was asked so far."""
    data = rows().assign(half=np.resize(["a", "a", "b", "b"], 2_000))
    answer = experiments.analyze(experiment(), data).by("country").by("half")
    same(answer, experiments.analyze(experiment(segments=["country", "half"]), data))
    assert len(answer.asked) == 2


def test_columns_that_are_no_segments_are_refused(result):
    with pytest.raises(DataError, match="no column contry in data; did you mean country"):
        result.by("contry")
    with pytest.raises(DataError, match="a segment takes at most 50"):
        result.by("number")
    with pytest.raises(SpecError, match="bought is an outcome"):
        result.by("bought")
    with pytest.raises(SpecError, match="segments"):
        experiments.from_counts({"a": (100, 40), "b": (100, 50)}, control="a").by("x")


def forms_of_rows(units):
    """Return the units of large amounts in every way in which they may be named."""
    large = units["bought"].eq(1) & (units.index % 3 == 0)
    return {
        "mask": large,
        "array": large.to_numpy(),
        "polars": pl.Series(large.to_numpy()),
        "part": units[large],
        "index": units[large].index,
        "numbers": [*map(int, units[large].index)],
    }


@pytest.mark.parametrize("form", ["mask", "array", "polars", "part", "index", "numbers"])
def test_without_units_is_the_analysis_of_the_others(result, form):
    left_out = forms_of_rows(result.units())
    answer, numbers = result.without(left_out[form]), left_out["numbers"]
    same(answer, experiments.analyze(experiment(), rows().drop(np.array(numbers) - 1)))
    assert answer.asked == (Message("experiments.asked_without", {"count": len(numbers)}),)
    assert len(answer.units()) == 2_000 - len(numbers)
    used = answer.data_used
    assert (used.rows_used, used.outside_period, used.leaked_rows) == (2_000 - len(numbers), 0, 0)


def test_without_takes_all_rows_of_a_unit():
    halves = pd.concat([rows().assign(spend=rows().spend / 4)] * 2, ignore_index=True)
    spec = experiment(metrics=[SPEND | {"role": "primary"}], data={"rows": "finer"})
    answer = experiments.analyze(spec, halves).without([1, 2, 3])
    same(answer, experiments.analyze(spec, halves[~halves.user.isin([0, 1, 2])]))


def test_without_takes_a_units_assignment_and_events():
    spec = Experiment.load(workspace.resolve("data/sample/onboarding.yaml"))
    result = experiments.analyze(spec, as_of=spec.last_day)
    units = result.units(ids=True)
    gone = units[units["spend 14 days"] > 60]
    logs = {name: pd.read_csv(spec.beside(path)) for name, path in spec.data.sources.items()}
    logs["assignments"] = logs["assignments"][~logs["assignments"].user_id.isin(gone["unit"])]
    answer = result.without(gone)
    expected = experiments.analyze(spec, logs, as_of=spec.last_day)
    assert 0 < len(gone) < 100
    for known, other in zip(answer.comparisons, expected.comparisons, strict=True):
        assert known.n == other.n
        assert known.difference == pytest.approx(other.difference, rel=1e-12)


def test_rows_that_are_no_units_are_refused(result):
    units = result.units()
    for strange in (
        [0],
        [2_001],
        ["1"],
        [1.5],
        np.ones(1_999, bool),
        units["bought"].iloc[:-1].eq(1),
        units["bought"].eq(1).reset_index(drop=True),
        units["bought"],
        rows(),
        pl.from_pandas(rows()),
    ):
        with pytest.raises(ParameterError, match=r"no rows of units\(\), which has 2,000"):
            result.without(strange)


def test_an_arm_is_not_left_empty(result):
    with pytest.raises(DataError, match="new"):
        result.without(result.units()["arm"] == "new")


def test_with_a_metric_is_the_analysis_with_it(result):
    answer = result.with_metric(name="spend", type="mean", column="spend")
    expected = experiment(metrics=[BOUGHT, SPEND | {"role": "secondary"}])
    same(answer, experiments.analyze(expected, rows()))
    metric = Mean(**SPEND, role="primary", mde={"relative": 0.1})
    assert result.with_metric(metric).comparisons[-1].role == "secondary"
    other = result.with_metric(metric, name="spend, capped", cap={"quantile": 0.9})
    assert other.comparisons[-1].uncapped is not None
    assert "the metric spend, capped" in other.mark()


def test_a_metric_that_is_none_is_refused(result):
    with pytest.raises(SpecError, match="bought"):
        result.with_metric(name="bought", type="mean", column="spend")
    with pytest.raises(SpecError, match="mean"):
        result.with_metric(name="x", type="meen", column="spend")
    with pytest.raises(DataError, match="no column spent in data; did you mean spend"):
        result.with_metric(name="x", type="mean", column="spent")


QUESTIONS = {
    "by": lambda result: result.by("country"),
    "without": lambda result: result.without([1, 2]),
    "with_metric": lambda result: result.with_metric(name="spend", type="mean", column="spend"),
    "chain": lambda result: (
        result.without([1]).by("country").with_metric(Mean(**SPEND, role="primary"))
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_asked_is_marked_and_decides_nothing(question):
    planned = experiments.analyze(experiment(), rows(), language="fr")
    assert planned.decision.action == "ship"
    assert planned.evidence()
    answer = QUESTIONS[question](planned)
    assert answer.asked
    assert answer.decision.action == "no_decision"
    assert answer.decision.arm is None
    assert [reason.key for reason in answer.decision.reasons] == ["experiments.reason_exploratory"]
    assert answer.evidence() == []
    assert (answer.language, answer.as_of) == ("fr", planned.as_of)
    assert answer.headline().startswith("Exploratoire, hors plan")
    assert planned.asked == ()  # the planned one stays as it is
    for language in LANGUAGES:
        page = page_of(answer, language)
        assert answer.mark(language).split("(")[0] in page
        assert words("experiments.asked_note", language)[:40] in page
        assert not any(word in page for word in ("{", "KeyError"))


def test_broken_data_stays_broken():
    spec = Experiment.load(workspace.resolve("data/sample/search_ranking.yaml"))
    answer = experiments.analyze(spec).without([2, 3])
    assert answer.decision.action == "stop_broken"


def test_the_plan_stays_the_registered_one():
    spec = experiment()
    spec = experiment(registered=spec.fingerprint)
    planned = experiments.analyze(spec, rows())
    answer = planned.by("country")
    assert answer.check("plan_unchanged") == planned.check("plan_unchanged")
    assert answer.check("plan_unchanged").status == "pass"
    assert answer.plan == planned.plan


def on_file(folder):
    rows().to_csv(folder / "units.csv", index=False)
    (folder / "spec.yaml").write_text(
        "experiment: asked\nunit: user\ndata: {path: units.csv}\n"
        "arms: {column: arm, control: old, weights: {old: 1, new: 1}}\n"
        "metrics: [{name: bought, type: proportion, column: bought, role: primary, goal: increase}]\n"
    )
    return Experiment.load(folder / "spec.yaml")


@pytest.mark.parametrize("given", [False, True])
def test_a_file_that_changed_since_is_refused(tmp_path, given):
    spec = on_file(tmp_path)
    result = experiments.analyze(spec, tmp_path / "units.csv" if given else None)
    assert result.by("country").segments
    rows().head(1_000).to_csv(tmp_path / "units.csv", index=False)
    for ask in (lambda: result.by("country"), result.units, lambda: result.without([2])):
        with pytest.raises(DataError, match=r"units\.csv: The file has changed since the result"):
            ask()


def test_a_copy_knows_its_files_and_no_frames(tmp_path, result):
    copy = pickle.loads(pickle.dumps(experiments.analyze(on_file(tmp_path))))
    assert copy.by("country").segments
    assert len(pickle.dumps(result)) < 40_000
    copy = pickle.loads(pickle.dumps(result))
    assert copy == result
    with pytest.raises(ParameterError, match="does not know its data any more"):
        copy.by("country")


def test_two_results_are_compared_figure_by_figure(result):
    answer = result.without(result.units().index % 3 == 0)
    frame = result.compare(answer).frame().set_index(["metric", "arm", "segment", "figure"])
    row = frame.loc[("bought", "new", "", "difference")]
    assert row["this"] == result.comparisons[0].difference
    assert row["other"] == answer.comparisons[0].difference
    assert row["change"] == row["other"] - row["this"]
    inside = result.by("country").compare(result).frame()
    only_there = inside[inside.segment == "country: de"]
    assert only_there.other.isna().all()
    other = experiments.analyze(experiment(experiment="another"), rows(1_000))
    both = result.compare(other).frame()
    assert both[both.figure == "n"][["this", "other"]].to_numpy().tolist() == [[1_000, 500]]
    assert "Side by side" in str(result.compare(answer)._repr_mimebundle_())


def test_rows_without_a_unit_stay_where_the_plan_leaves_them():
    """Before the period nobody misses their units; they are counted as before."""
    rows = 400
    frame = pd.DataFrame(
        {
            "user": [f"u{row}" if row >= 10 else None for row in range(rows)],
            "variant": ["a", "b"] * (rows // 2),
            "value": [float(row % 7) for row in range(rows)],
            "day": pd.to_datetime(["2026-08-01"] * 10 + ["2026-09-10"] * (rows - 10)),
        }
    )
    experiment = experiments.Experiment(
        experiment="nameless",
        unit="user",
        arms={"column": "variant", "control": "a"},
        period={"time": "day", "start": "2026-09-01", "end": "2026-09-28"},
        metrics=[
            {
                "name": "value",
                "type": "mean",
                "column": "value",
                "role": "primary",
                "goal": "increase",
            }
        ],
    )
    result = experiments.analyze(experiment, frame)
    fewer = result.without([11, 12])
    assert (result.data_used.rows_used, fewer.data_used.rows_used) == (rows - 10, rows - 12)
    assert result.data_used.outside_period == fewer.data_used.outside_period == 10
