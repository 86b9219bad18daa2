"""The cells below "Your turn" of the notebook: they run for every sample, and statsmodels agrees with us.

Each cell is run as it stands in the notebook, for the first effect and then for every other one. The public
data sets are skipped where they are not at hand.
"""

import json
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_real_data import COOKIE_CATS, HILLSTROM, NSW, data_file, loaded

from opslab import experiments, report, workspace
from opslab.experiments.spec import Experiment

ROOT = workspace.root()
NOTEBOOK = ROOT / "notebooks" / "experiment_readout.ipynb"
SAMPLES = ("checkout", "newsletter", "onboarding", "stores", "search_ranking", "express")
PLAIN = ("see", "look-spread", "look-days", "look-before")
CHECK = ("check-plain", "check-fit", "check-extra", "check-why", "check-both", "check-share")
NUMBER = r"-?\d+\.\d+(?:e-\d+)?"
ASK = ("ask-segment", "ask-without", "ask-metric", "take-away")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a folder of its own, in matplotlib's own settings."""
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context():
        yield
    plt.close("all")


def cells():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return {
        cell["id"]: "".join(cell["source"])
        for cell in notebook["cells"]
        if "explore" in cell["metadata"].get("tags", []) and cell["cell_type"] == "code"
    }


class Session(dict):
    """What the cells above have left behind, and what has been shown."""

    def __init__(self, experiment):
        day = experiment.last_day
        result = experiments.analyze(experiment, as_of=day)
        self.shown = []
        super().__init__(
            experiments=experiments,
            report=report,
            experiment=experiment,
            result=result,
            display=self.shown.append,
        )

    def run(self, *names, effect=0):
        for name in names:
            source = cells()[name].replace("result.comparisons[0]", f"result.comparisons[{effect}]")
            exec(compile(source, name, "exec"), self)


def sample(name):
    return Experiment.load(ROOT / "data" / "sample" / f"{name}.yaml")


def agree(session):
    """Assert that both numbers are alike, as far as the methods are; return what was compared."""
    effect, checked = session["effect"], session["checked"]
    theirs, ours = checked.loc["difference"]
    assert theirs == pytest.approx(ours, rel=1e-9, abs=1e-9 * abs(effect.estimate[1] or 1.0))
    theirs, ours = checked.loc["standard error"]
    if effect.method in ("welch", "paired", "paired_cuped"):
        assert theirs == pytest.approx(ours, rel=1e-6)
    elif effect.method == "cuped" and effect.uncapped is None:
        assert checked.loc["with the extra term", "statsmodels"] == pytest.approx(ours, rel=1e-5)
    elif effect.method == "ratio":
        assert theirs == pytest.approx(ours, rel=0.01)
    else:
        assert effect.method == "score" or effect.uncapped or "paired_ratio" in effect.method
    return checked


def test_every_cell_is_known():
    assert tuple(cells()) == PLAIN + CHECK + ASK
    assert all(len(source.splitlines()) <= 10 for source in cells().values())
    assert len(cells()["check-plain"].splitlines()) <= 6


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", SAMPLES)
def test_the_cells_run_for_every_sample(name, capsys, tmp_path):
    session = Session(sample(name))
    session.run(*PLAIN)
    assert all(figure.alt for figure in session.shown)
    result = session["result"]
    for number, effect in enumerate(result.comparisons):
        session.run(*CHECK, effect=number)
        agree(session)
        told = capsys.readouterr().out
        if effect.method == "welch" and not result.paths:  # the plain case is ours as it stands
            (theirs, error), ours = (
                [float(each) for each in re.findall(NUMBER, line)] for line in told.splitlines()[:2]
            )
            assert [theirs, error] == pytest.approx(ours, rel=1e-9)
        assert "urs is" in told or "HC2 is" in told or "Pairs" in told  # and the reason is told
        if effect.type == "proportion":
            assert f"ours {effect.p_value:.6g} ({effect.method})" in told
    session.run(*ASK)
    answer = session["answer"]
    assert answer.asked
    assert answer.decision.action in ("no_decision", "stop_broken")
    assert {"tables.xlsx", "lift.svg"} <= {
        path.name for path in (tmp_path / "reports" / "take-away" / "experiment").iterdir()
    }


def test_the_score_test_is_the_textbooks_but_for_one_unit(capsys):
    """Miettinen and Nurminen's z squared is that of the pooled test times (n - 1) / n."""
    session = Session(sample("newsletter"))
    numbers = [
        number
        for number, known in enumerate(session["result"].comparisons)
        if known.method == "score"
    ]
    assert numbers
    for number in numbers:
        session.run("see", *CHECK, effect=number)
        n = sum(session["effect"].n)
        scaled = abs(session["statistic"]) * np.sqrt((n - 1) / n)
        assert 2 * stats.norm.sf(scaled) == pytest.approx(session["effect"].p_value, rel=1e-9)
    assert "score test" in capsys.readouterr().out


def test_rows_of_clusters_are_the_cluster_robust_regression(tmp_path):
    """Units weighted by their rows have the errors of OLS on rows, clustered by unit (statsmodels)."""
    import statsmodels.api as sm

    draw = np.random.default_rng(5)
    units = pd.DataFrame(
        {
            "shop": range(120),
            "arm": np.resize(["old", "new"], 120),
            "level": draw.normal(50, 9, 120),
        }
    )
    rows = units.loc[units.index.repeat(draw.integers(1, 9, 120))].reset_index(drop=True)
    rows["sales"] = (rows.level + draw.normal(0, 4, len(rows))).round(3)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    spec = loaded(
        tmp_path,
        "experiment: shops\ndata: {path: rows.csv, rows: finer}\nunit: shop\n"
        "arms: {column: arm, control: old, weights: {old: 1, new: 1}}\nmetrics:\n"
        "  - {name: sales, type: mean, column: sales, per: row, role: primary, goal: increase}\n",
    )
    session = Session(spec)
    session.run("see", *CHECK)
    checked = agree(session)
    fit = sm.OLS(rows.sales, sm.add_constant((rows.arm == "new") * 1.0)).fit(
        cov_type="cluster", cov_kwds={"groups": rows.shop}
    )
    assert checked.loc["difference", "ours"] == pytest.approx(fit.params["arm"], rel=1e-9)
    assert checked.loc["standard error", "ours"] == pytest.approx(fit.bse["arm"], rel=0.01)


def on_file(folder, name, unit, text):
    data = pd.read_csv(data_file(name))
    data = data if unit in data else data.rename_axis(unit).reset_index()
    data.to_csv(folder / "units.csv", index=False)
    return loaded(folder, text.format(path=folder / "units.csv"))


PUBLIC = {
    "cookie cats": ("cookie_cats.csv", "userid", COOKIE_CATS),
    "hillstrom": ("hillstrom.csv", "customer", HILLSTROM),
    "hillstrom, adjusted": (
        "hillstrom.csv",
        "customer",
        HILLSTROM.replace("column: spend,", "column: spend, covariates: [history],"),
    ),
    "nsw": ("nsw_lalonde.csv", "person", NSW),
    "nsw, adjusted": (
        "nsw_lalonde.csv",
        "person",
        NSW.replace("re78,", "re78, covariates: [re75, re74],"),
    ),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_checks_agree_on_public_data(name, tmp_path):
    session = Session(on_file(tmp_path, *PUBLIC[name]))
    session.run("see")
    for number in range(len(session["result"].comparisons)):
        session.run(*CHECK, effect=number)
        agree(session)
