"""What an analyst does beside the readout: looks at the tasks and their draws, leaves some out."""

import re
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from declared import LINE, RANGED, inventory
from matplotlib import pyplot as plt
from scipy import stats

from conftest import ROOT, run_cells
from opslab import frames, timesaved
from opslab.errors import DataError, ParameterError
from opslab.messages import Bilingual

SAMPLE = ROOT / "data" / "sample" / "product_desk.yaml"
DRAWS = 4_000


@pytest.fixture(scope="module")
def desk():
    return timesaved.Inventory.load(SAMPLE)


@pytest.fixture(scope="module")
def result(desk):
    return timesaved.estimate(desk, draws=DRAWS)


def test_every_row_is_there_under_the_number_of_the_sheet(desk):
    tasks = desk.tasks()
    written = pd.read_csv(SAMPLE.with_suffix(".csv"))
    assert tasks.row.tolist() == [*range(2, 2 + len(written))]
    assert tasks.task.tolist() == written.task.tolist()
    assert tasks.minutes_low[0] == 20
    assert tasks.minutes_high[0] == 45
    # A further row of a task has the task's own cells.
    assert tasks.people.tolist()[2:4] == [14, 14]
    # What was measured counts: the basis, its grade, and the mean that is drawn.
    assert tasks.grade[11] == "D"
    assert 25 < tasks.minutes_mean[0] < 32


def test_a_mean_as_drawn_is_that_of_the_range_as_stated_by_scipy(desk):
    tasks = desk.tasks()
    stated = tasks[tasks.frequency_high > tasks.frequency_low]
    assert len(stated) > 8
    sigma = np.log(stated.frequency_high / stated.frequency_low) / (2 * stats.norm.ppf(0.95))
    middle = np.sqrt(stated.frequency_low * stated.frequency_high)
    means = stats.lognorm(s=sigma, scale=middle).mean()
    np.testing.assert_allclose(stated.frequency_mean, means, rtol=1e-9)


def test_hours_today_are_the_product_of_the_means():
    """10 people x 80 % x 4 a week x 30 minutes x 45 weeks: 720 hours, by hand."""
    tasks = inventory(LINE | {"eligible_share": 0.8}).tasks()
    assert tasks.hours_today.tolist() == [720.0]
    assert tasks.grade.tolist() == ["F"]


@pytest.mark.parametrize(("form", "kind"), [("arrow", pa.Table), ("polars", pl.DataFrame)])
def test_frames_come_in_the_form_asked_for(desk, result, form, kind):
    assert isinstance(desk.tasks(form=form), kind)
    assert isinstance(result.drawn(form=form), kind)
    assert result.drawn(form=form).shape == (DRAWS, 12)


def test_tasks_are_read_anew_when_the_file_has_changed(tmp_path):
    for name in ("product_desk.csv", "product_desk_measured.csv", "product_desk_past.csv"):
        (tmp_path / name).write_bytes((SAMPLE.parent / name).read_bytes())
    (tmp_path / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    desk = timesaved.Inventory.load(tmp_path / SAMPLE.name)
    assert desk.tasks().people[0] == 14
    table = tmp_path / "product_desk.csv"
    table.write_text(table.read_text("utf-8").replace(",14,", ",15,"), "utf-8")
    assert desk.tasks().people[0] == 15


def test_the_draws_are_those_of_the_estimate(result):
    draws = result.drawn()
    total = draws.sum(axis="columns").to_numpy()
    assert total.mean() == pytest.approx(result.freed.mean, rel=1e-9)
    assert np.quantile(total, 0.05, method="nearest") == pytest.approx(result.freed.low, rel=1e-9)
    assert np.quantile(total, 0.95, method="nearest") == pytest.approx(result.freed.high, rel=1e-9)
    np.testing.assert_allclose(draws.mean(), result.frame().hours_freed, rtol=1e-9)


def test_a_known_task_is_the_same_in_every_draw():
    """10 people x 4 x 30 minutes x 45 weeks x 30 %: 270 hours a year."""
    draws = timesaved.estimate(inventory(LINE), draws=1_000).drawn()
    assert draws.columns.tolist() == ["tag, pm"]
    np.testing.assert_allclose(draws["tag, pm"], 270.0, rtol=1e-12)


def test_tasks_that_read_alike_keep_a_column_each():
    """Each 270 hours a year; of equal names, a row tells them apart."""
    alike = [
        LINE | {"task": task, "role": role}
        for task, role in (("a, b", "c"), ("a", "b, c"), ("a", "b, c (3)"))
    ]
    draws = timesaved.estimate(inventory(*alike), draws=1_000).drawn()
    assert len({*draws.columns}) == 3
    assert {*draws.columns} >= {"a, b, c", "a, b, c (3)"}
    np.testing.assert_allclose(draws.mean(), 270.0, rtol=1e-12)


def test_a_task_drawn_by_numpy_alone_agrees_within_its_error():
    """One task from its ranges: lognormals and betas from scipy, ramp and decay month by month."""
    known = {"adoption": 1, "decay": 0, "ramp_months": 0, "new_minutes": 0}
    result = timesaved.estimate(inventory(RANGED | known), draws=50_000)
    rng, n = np.random.default_rng(1), 200_000

    def lognormal(low, high):
        sigma = np.log(high / low) / (2 * stats.norm.ppf(0.95))
        return np.sqrt(low * high) * np.exp(sigma * rng.standard_normal(n))

    reduction = stats.beta(*_beta(0.2, 0.6)).rvs(n, random_state=rng)
    hours = 10 * 45 / 60 * lognormal(2, 6) * lognormal(10, 40) * reduction
    ours = result.drawn().squeeze()
    error = np.hypot(hours.std() / np.sqrt(n), ours.std() / np.sqrt(len(ours)))
    assert ours.mean() == pytest.approx(hours.mean(), abs=4 * error)
    assert ours.median() == pytest.approx(np.median(hours), rel=0.02)


def _beta(low, high):
    """Return a and b of the beta with nine tenths between two shares, by scipy's own solver."""
    from scipy.optimize import fsolve

    def gap(logs):
        beta = stats.beta(*np.exp(logs))
        return beta.cdf(low) - 0.05, beta.cdf(high) - 0.95

    return np.exp(fsolve(gap, np.log((5.0, 8.0))))


def test_where_all_draws_would_not_fit_a_remark_says_so(result, monkeypatch):
    monkeypatch.setattr(frames, "MOST_CELLS", 12_000)
    with pytest.warns(frames.Remark, match="one row in 4 of 4,000"):
        draws = result.drawn()
    assert draws.shape == (1_000, 12)


def test_the_short_table_is_in_the_words_of_the_page(desk):
    french = timesaved.estimate(desk, draws=1_000, language="fr")
    frame = french.frame()
    assert 12 <= len(frame.columns) <= 15
    assert frame.task[0] == "étiqueter les retours clients"
    assert frame.initiatives[2] == "liste de contrôle des lancements, modèle de point hebdomadaire"
    assert set(frame.benefit) == {"capacité", "qualité", "budgétaire"}
    assert french.drawn().columns[0] == "étiqueter les retours clients, chef de produit"
    assert len(french.frame(full=True).columns) > 20


def test_without_tasks_it_is_the_estimate_of_those_left():
    """Against an inventory that never had the other task: the same streams, the same draws."""
    other = RANGED | {"task": "write", "initiative": "template"}
    both = timesaved.estimate(inventory(RANGED, other), draws=2_000)
    alone = timesaved.estimate(inventory(RANGED), draws=2_000)
    fewer = both.without("write")
    assert fewer.freed == alone.freed
    assert fewer.savings == alone.savings
    assert [check.name for check in fewer.checks] == [check.name for check in alone.checks]
    assert both.without(2).freed == alone.freed


def test_one_of_two_changes_can_be_left_out(result):
    row = 5  # "prepare a launch" by the status template
    fewer = result.without(row)
    assert len(fewer.savings) == len(result.savings)
    assert "prepare a launch / product manager / status template" in fewer.mark()
    assert "launch checklist" not in fewer.mark()


def test_what_is_asked_further_says_so_everywhere_and_recommends_nothing(result):
    fewer = result.without("prepare a launch").without("tag customer feedback")
    assert fewer.action == "explored"
    assert fewer.evidence() == []
    assert fewer.record()["action"] == "explored"
    assert len(fewer.savings) == len(result.savings) - 3
    many = result.without(*range(3, 12))
    assert re.search(r"\(without [^,]+, [^,]+, [^,]+ and \d+ more\)", many.mark())
    assert re.search(r", [^,]+ et \d+ autres\)", many.mark("fr"))
    for text in (fewer.mark(), fewer.headline(), repr(fewer), fewer.figures["waterfall"].alt):
        assert "prepare a launch" in text
        assert "tag customer feedback" in text
    assert "préparer un lancement" in fewer.mark("fr")
    assert fewer.first_screen("fr").action == "Exploré\N{NARROW NO-BREAK SPACE}: rien n'est décidé"
    assert fewer.frame().exploratory.all()
    assert all(row["exploratory"] for row in fewer.sheets()["quantities"])


def test_a_table_that_changed_since_is_refused(tmp_path):
    """A row's number may be another task's by now."""
    table = tmp_path / "desk.csv"
    header, *lines = SAMPLE.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([header, *lines]), encoding="utf-8")
    result = timesaved.estimate(timesaved.Inventory.load(table), draws=1_000)
    assert result.without(2).asked
    table.write_text("\n".join([header, *lines[1:], lines[0]]), encoding="utf-8")
    with pytest.raises(DataError, match=r"desk\.csv: The file has changed since the result"):
        result.without(2)


def test_two_estimates_stand_side_by_side(result):
    frame = result.compare(result.without("prepare a launch")).frame()
    gone = frame[(frame.task == "prepare a launch") & (frame.figure == "hours_freed")]
    assert gone.other.isna().all()
    stays = frame[(frame.task == "route bug reports") & (frame.figure == "hours_today")]
    assert stays.change.tolist() == [0.0]


def test_an_estimate_in_another_language_is_compared_in_this_one(desk, result):
    french = timesaved.estimate(desk, draws=DRAWS, language="fr")
    frame = result.compare(french).frame()
    assert frame.task.isin(result.frame().task).all()
    assert (frame.change == 0).all()
    assert "tag customer feedback" in str(result.compare(french)._repr_mimebundle_())


def test_rows_that_read_alike_stand_beside_nothing():
    alike = [LINE | {"task": {"en": name, "fr": "trier"}} for name in ("sort", "sift")]
    both = timesaved.estimate(inventory(*alike), draws=1_000)
    assert both.compare(both).frame().change.eq(0).all()
    french = replace(both, language="fr")
    with pytest.raises(ParameterError, match=r"same names \(trier, pm\)"):
        french.compare(both).frame()


def test_names_that_are_not_there_are_told_with_the_nearest(result):
    with pytest.raises(ParameterError, match="did you mean prepare a launch"):
        result.without("prepare a lunch", 2)
    with pytest.raises(ParameterError, match="There is no 99 here"):
        result.without(99)
    with pytest.raises(ParameterError, match=r"no xyz here; there are tag .* and 21 more"):
        result.without("xyz")
    with pytest.raises(ParameterError, match="leaves nothing"):
        result.without(*range(2, 15))


def test_the_workbook_holds_every_quantity_and_no_formula(tmp_path):
    risky = RANGED | {"task": "=1+1", "owner": Bilingual("head", french="tête")}
    result = timesaved.estimate(inventory(risky), draws=1_000, language="fr")
    book = openpyxl.load_workbook(result.to_excel(tmp_path / "hours.xlsx"))
    assert book.sheetnames == ["result", "full", "quantities"]
    assert [cell.value for cell in book["result"][1]] == list(result.frame())
    assert book["result"]["A2"].value == "=1+1"
    assert book["result"]["A2"].data_type == "s"
    assert book["result"]["L2"].value == "tête"
    names = [row[0].value for row in book["quantities"].iter_rows(min_row=2)]
    assert names == [known.name for known in result.known]


@pytest.mark.filterwarnings("error")
def test_the_cells_to_explore_run_and_agree(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run_cells("time_saved", spec=str(SAMPLE), draws=20_000)
    plt.close("all")
    both = names["error"] * np.sqrt(1 + 100_000 / 20_000)  # ours has a fifth of the draws
    assert abs(names["mine"] - names["ours"]) < 4 * both
    told = dict(
        line.split(": ", 1) for line in capsys.readouterr().out.splitlines() if ": " in line
    )
    for name in ("frequency", "minutes", "mean", "5th percentile", "95th percentile"):
        here, there = (float(part.split()[0]) for part in told[name].split(", "))
        assert here == pytest.approx(there, rel=1e-9)
    assert "product manager" in names["look-today"].alt
    assert "product manager" in names["look-draws"].alt
    assert names["fewer"].asked
    folder = tmp_path / "reports" / "take-away" / "time_saved"
    assert (folder / "tables.xlsx").stat().st_size > 5_000
    assert (folder / "waterfall.svg").exists()
