"""What an analyst does beside the case: looks at the draws of its options, leaves lines out."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
from matplotlib import pyplot as plt

from conftest import ROOT, run_cells
from opslab import businesscase
from opslab.errors import ParameterError

SAMPLE = ROOT / "data" / "sample"
DRAWS = 4_000


@pytest.fixture(scope="module")
def case():
    return businesscase.Case.load(SAMPLE / "product_ops.yaml")


@pytest.fixture(scope="module")
def result(case):
    return businesscase.build(case, draws=DRAWS)


def test_the_draws_are_those_of_the_verdict(result):
    draws = result.drawn()
    assert draws.shape == (DRAWS, 3)
    for option in result.options:
        npv = draws[option.name].to_numpy()
        assert npv.mean() == pytest.approx(option.npv.mean, rel=1e-12)
        assert np.quantile(npv, 0.1) == pytest.approx(option.npv.p10, rel=1e-12)
        assert (npv > 0).mean() == option.positive[0]
    for pair in result.differences:
        assert (draws[pair.a] > draws[pair.b]).mean() == pair.better


def test_a_case_gives_the_draws_of_its_own_verdict(case, result):
    pd.testing.assert_frame_equal(case.draws(draws=DRAWS), result.drawn())
    assert isinstance(case.draws(draws=1_000, form="polars"), pl.DataFrame)


@pytest.mark.parametrize("name", ["product_ops", "product_ops_april"])
def test_numpy_comes_to_the_same_npv_of_the_mean_cash(name):
    case = businesscase.Case.load(SAMPLE / f"{name}.yaml")
    assert case.finance.timing == "monthly"
    for option in businesscase.build(case, draws=DRAWS).options:
        cash = np.diff([month.middle for month in option.fan], prepend=0)
        years = np.arange(len(cash)) / 12
        npv = (cash / (1 + case.finance.rate) ** years).sum()
        assert npv == pytest.approx(option.npv.mean, rel=1e-9)


def test_the_short_table_has_a_row_for_each_option_and_doing_nothing(result):
    frame = result.frame()
    assert frame.name.tolist() == ["Do nothing", *(option.name for option in result.options)]
    assert frame.kind.tolist() == ["Do nothing", "minimum", "recommended", "stretch"]
    assert 12 <= len(frame.columns) <= 15
    assert list(frame)[:5] == ["name", "kind", "npv", "npv_low", "npv_high"]
    assert frame.npv[0] == 0.0
    assert frame.costs[0] == result.nothing.costs.mean
    assert frame.positive[2] == result.recommended.positive[0]
    np.testing.assert_allclose(frame.benefits[1:] - frame.costs[1:], frame.npv[1:], rtol=1e-9)


def test_the_tables_are_in_the_language_of_the_result(case, tmp_path):
    french = businesscase.build(case, draws=1_000, language="fr")
    assert french.frame().name.tolist()[0] == case.nothing.name.spoken("fr")
    assert french.frame().kind.tolist()[2] == "recommandée"
    assert french.drawn().columns[0] == case.proposals[0].name.spoken("fr")
    book = openpyxl.load_workbook(french.to_excel(tmp_path / "case.xlsx"))
    assert book.sheetnames == ["result", "full", "ledger", "budget"]
    statements = [row[2].value for row in book["ledger"].iter_rows(min_row=2)]
    assert case.assumptions[0].statement.spoken("fr") in statements
    assert len(statements) == len(french.ledger)
    budget = [[cell.value for cell in row] for row in book["budget"].iter_rows(min_row=2)]
    years = [year for option in french.options for year in option.fiscal]
    assert [row[2] for row in budget] == pytest.approx([year.benefits for year in years])


def test_without_a_gain_it_is_the_case_whose_options_take_none_of_it(case, result):
    """Against a case in which the reach of the gain is 0: another way to the same cash."""
    name = case.recommended.benefits[0]
    options = tuple(
        option.model_copy(update={"reach": {**option.reach, name: 0.0}})
        if option.kind in ("recommended", "stretch")
        else option
        for option in case.options
    )
    none = businesscase.build(case.model_copy(update={"options": options}), draws=DRAWS)
    fewer = result.without(name)
    assert fewer.recommended.npv == none.recommended.npv
    assert fewer.recommended.positive == none.recommended.positive
    assert name not in [line.name for line in fewer.lines]
    np.testing.assert_array_equal(
        fewer.drawn()[case.recommended.name], none.drawn()[case.recommended.name]
    )


def test_without_a_cost_of_doing_nothing_nobody_gains_its_end(case, result):
    ended = next(line for line in result.lines if line.ended)
    fewer = result.without(ended.name)
    assert fewer.nothing.costs.mean < result.nothing.costs.mean
    assert fewer.recommended.npv.mean == pytest.approx(
        result.recommended.npv.mean - ended.present.mean, rel=1e-9
    )


def test_what_is_asked_further_says_so_everywhere_and_recommends_nothing(case, result):
    first, second = case.recommended.benefits[:2]
    fewer = result.without(first).without(second)
    assert fewer.action == "explored"
    assert fewer.record()["action"] == "explored"
    assert result.action != "explored"
    assert {first, second}.isdisjoint(line.name for line in fewer.lines)
    for text in (fewer.mark(), fewer.headline(), fewer.figures["fan"].alt):
        assert first in text
        assert second in text
    assert fewer.first_screen().action == "Explored: nothing is decided"
    assert fewer.frame().exploratory.all()
    assert all(row["exploratory"] for row in fewer.sheets()["budget"])
    # Nobody is given answers to sign.
    plain, asked = str(result.decision), str(fewer.decision)
    assert "☐" in plain
    assert "☐" not in asked
    assert "Exploratory" in asked


def test_an_answer_survives_being_copied(case, result):
    name = case.recommended.benefits[0]
    again = pickle.loads(pickle.dumps(result)).without(name)
    assert again.recommended.npv == result.without(name).recommended.npv


def test_two_cases_stand_side_by_side(case, result):
    fewer = result.without(case.recommended.benefits[0])
    frame = result.compare(fewer).frame().set_index(["name", "figure"])
    change = fewer.recommended.npv.mean - result.recommended.npv.mean
    assert frame.change[case.recommended.name, "npv"] == pytest.approx(change)
    assert frame.change["Do nothing", "costs"] == 0.0


def test_cases_in_two_currencies_do_not_stand_side_by_side(case, result):
    finance = case.finance.model_copy(update={"currency": "USD"})
    other = replace(result, case=case.model_copy(update={"finance": finance}))
    with pytest.raises(ParameterError, match="is in EUR and the other one in USD"):
        result.compare(other)


def test_names_that_are_not_there_are_told_with_the_nearest(case, result):
    name = case.recommended.benefits[0]
    with pytest.raises(ParameterError, match="did you mean"):
        result.without(name[:-1])
    with pytest.raises(ParameterError, match=r"no zzzz here; there are .* and \d+ more"):
        result.without("zzzz")
    lines = [line.name for line in (*case.benefits, *case.costs)]
    risks = [risk.risk for risk in case.risks if risk.amount]
    with pytest.raises(ParameterError, match="leaves nothing"):
        result.without(*lines, *risks)


@pytest.mark.parametrize("name", ["product_ops", "product_ops_april"])
@pytest.mark.filterwarnings("error")
def test_the_cells_to_explore_run_and_agree(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_cells("business_case", spec=str(SAMPLE / f"{name}.yaml"), draws=5_000)
    plt.close("all")
    best = names["best"]
    assert names["npv"] == pytest.approx(best.npv.mean, rel=1e-9)
    assert names["positive"] == best.positive[0]
    assert best.name in names["look-npv"].alt
    assert best.name in names["look-ecdf"].alt
    assert names["without"].asked
    folder = tmp_path / "reports" / "take-away" / "business_case"
    assert (folder / "tables.xlsx").stat().st_size > 5_000
    assert (folder / "fan.svg").exists()
