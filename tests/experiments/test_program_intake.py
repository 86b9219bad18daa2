"""What a program is read from: tables, exports, run folders; and what is told of what was not taken."""

import hashlib
import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest
from test_real_data import data_file

from conftest import ROOT
from opslab import archive
from opslab.errors import DataError
from opslab.experiments import Program, review_program

SAMPLE = ROOT / "data" / "sample" / "runs"


def reviewed(tmp_path, table, **fields):
    """Return the review of a program whose table stands in a file."""
    file = tmp_path / "tests.csv"
    file.write_text(table, encoding="utf-8")
    spec = {"program": "x", "date": "2026-12-31", "tests": {"path": str(file)}, **fields}
    return review_program(Program(**spec))


def refused(tmp_path, table, **fields):
    with pytest.raises(DataError) as caught:
        reviewed(tmp_path, table, **fields)
    return [(problem.row, problem.field, problem.text("en")) for problem in caught.value.problems]


def by_name(result):
    return {test.test: test for test in result.tests}


def told(result, name):
    check = result.check(name)
    assert check.detail.key == f"program.{name}_{check.detail.key.rpartition('_')[2]}"
    values = check.detail.record()["values"]
    return check.status, values["names"]


# --- A row a test


def test_an_effect_is_known_from_its_error_its_interval_or_its_p_value(tmp_path):
    result = reviewed(
        tmp_path,
        "test,lift,error,low,high,p_value,decision\n"
        "by error,0.03,0.01,,,,shipped\nby interval,0.03,,0.0104,0.0496,,do not ship\n"
        "by ends,,,0.0104,0.0496,,\nby p,0.03,,,,0.0027,extended\nby p alone,,,,,0.0027,\n",
    )
    known = by_name(result)
    for name in ("by error", "by interval", "by ends", "by p"):
        test = known[name]
        assert test.lift == pytest.approx(0.03)
        assert test.error == pytest.approx(0.01, rel=1e-3)
        assert test.p_value == pytest.approx(2 * stats.norm.sf(3), rel=0.01)
        assert (test.low, test.high) == pytest.approx((0.0104, 0.0496), abs=1e-4)
        assert (test.outcome, test.left_out) == ("won", "")
    assert known["by p alone"].left_out == "effects"
    assert known["by p alone"].outcome == "unknown"
    assert [known[name].shipped for name in ("by error", "by interval", "by p", "by ends")] == [
        True,
        False,
        False,
        None,
    ]
    assert told(result, "effects") == ("warn", ["by p alone"])
    assert result.wins.among == 4


def test_french_cells_and_headings(tmp_path):
    result = reviewed(
        tmp_path,
        "test;Effet;Erreur type;Début;Fin;Décision;Selon la règle\n"
        "a;2,5 %;0,5 %;03/04/2026;21/04/2026;déployé;oui\n"
        "b;-1,0 %;0,6 %;13/04/2026;30/04/2026;abandonné;non\n"
        "c;0,1 %;0,6 %;13/05/2026;30/05/2026;;\n",
    )
    known = by_name(result)
    assert (known["a"].lift, known["a"].error) == (0.025, 0.005)
    assert known["a"].start.isoformat() == "2026-04-03"
    assert (known["a"].shipped, known["b"].shipped, known["c"].shipped) == (True, False, None)
    assert (known["a"].by_rule, known["b"].by_rule, known["c"].by_rule) == (True, False, None)
    assert (result.by_rule.count, result.by_rule.among) == (1, 2)


def test_headings_of_ones_own(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("Key,Gain,SE,P\nA,0.1,0.02,\nB,0.2,0.05,\nC,0.0,0.01,\n")
    columns = {"test": "Key", "lift": "Gain", "error": "SE"}
    program = Program(program="x", date="2026-12-31", tests={"path": str(file), "columns": columns})
    assert [test.lift for test in review_program(program).tests] == [0.1, 0.2, 0.0]


def test_less_may_be_better(tmp_path):
    table = "test,lift,error,low,high\na,-0.03,0.01,-0.05,-0.01\nb,0.04,0.01,,\nc,0,0.01,,\n"
    result = reviewed(tmp_path, table, goal="decrease")
    first, second, _ = result.tests
    assert (first.lift, first.low, first.high, first.outcome) == (0.03, 0.01, 0.05, "won")
    assert (second.lift, second.outcome) == (-0.04, "lost")
    assert second.low < second.lift < second.high


def test_a_test_twice_a_later_one_and_one_on_another_metric_are_told(tmp_path):
    result = reviewed(
        tmp_path,
        "test,metric,lift,error,start,end\na,orders,0.01,0.01,2026-01-05,2026-01-20\n"
        "A ,orders,0.05,0.01,2026-01-05,2026-01-20\nb,orders,0.02,0.01,2026-12-20,2027-01-05\n"
        "c,orders,0.01,0.01,2026-01-05,\nc,revenue,0.04,0.02,2026-01-05,\nd,visits,0.0,0.01,,\n",
    )
    assert [(test.test, test.lift) for test in result.tests] == [("a", 0.01), ("c", 0.01), ("d", 0)]
    assert told(result, "repeated") == ("warn", ["A "])
    assert told(result, "later") == ("warn", ["b"])
    assert told(result, "metrics") == ("warn", ["c"])
    assert told(result, "dates") == ("warn", ["d"])
    assert result.check("one_metric").status == "warn"


def test_what_contradicts_itself_is_refused_with_its_row(tmp_path):
    ends = refused(tmp_path, "test,lift,low,high\na,0.1,0.2,0.3\nb,0.1,0.3,-0.1\nc,0.2,0.1,0.3\n")
    assert [problem[:2] for problem in ends] == [(2, "high"), (3, "high")]
    (dates,) = refused(tmp_path, "test,lift,start,end\na,0.1,2026-03-02,2026-02-02\n")
    assert dates[:2] == (2, "end")
    assert "ends before it starts" in dates[2]
    (many,) = refused(tmp_path, "test,arm,units,successes\na,control,10,3\na,b,10,11\n")
    assert many[:2] == (3, "units")
    (sign,) = refused(tmp_path, "test,lift,error\na,0.1,-0.2\n")
    assert sign[:2] == (2, "error")
    assert refused(tmp_path, "test,lift,p_value\na,0.1,1.2\n")[0][:2] == (2, "p_value")


def test_arms_without_weight_and_a_control_that_says_nothing_are_no_tests(tmp_path):
    result = reviewed(
        tmp_path,
        "test,arm,lift,error,units,weight,start\na,Control,0,,100,1,2026-01-05\na,new,0.1,0.05,110,1,\n"
        "b,Témoin,,,100,1,\nb,new,0.1,0.05,110,0,\n",
        tests={"path": str(tmp_path / "tests.csv")},
    )
    assert [(test.test, test.arm) for test in result.tests] == [("a", "new"), ("b", "new")]
    assert result.tests[0].start.isoformat() == "2026-01-05"
    assert result.tests[0].ratio_p == pytest.approx(stats.chisquare([100, 110]).pvalue)
    assert result.tests[1].ratio_p is None


def test_counts_of_one_arm_alone_are_no_effect(tmp_path):
    result = reviewed(tmp_path, "test,arm,units,successes\na,control,10,3\n")
    assert [test.left_out for test in result.tests] == ["effects"]


def test_too_few_tests_stop_the_program(tmp_path):
    result = reviewed(tmp_path, "test,lift,error\na,0.1,0.02\nb,0.2,0.05\n")
    assert result.status == "check_failed"
    assert result.pooled is result.impact is result.exaggeration is None
    assert result.check("enough").blocking


def test_percentages_without_their_sign_stop_the_program(tmp_path):
    rows = "\n".join(f"t{at},{2 + at / 10},0.5" for at in range(6))
    result = reviewed(tmp_path, f"test,lift,error\n{rows}\n")
    assert result.status == "check_failed"
    assert result.check("as_percentages").status == "fail"
    assert reviewed(tmp_path, "test,lift,error\na,2%,1%\nb,3%,1%\nc,1%,1%\n").status == "complete"


# --- A row an arm


COUNTS = (
    "test,arm,units,successes,weight\nx,short,4950,560,\nx,control,5050,500,\nx,long,5000,510,\n"
    "y,old,9000,300,9\ny,new,1000,40,1\nz,a,800,10,\nz,b,1200,12,\n"
)


def test_arms_with_counts(tmp_path):
    result = reviewed(tmp_path, COUNTS)
    short, _, new, second = result.tests
    assert [test.arm for test in result.tests] == ["short", "long", "new", "b"]
    lift = (560 / 4950) / (500 / 5050) - 1
    error = (1 + lift) * math.sqrt(1 / 560 - 1 / 4950 + 1 / 500 - 1 / 5050)
    assert short.lift == pytest.approx(lift)
    assert short.error == pytest.approx(
        error
    )  # Katz et al. (1978), the log's error times the ratio
    assert short.p_value == pytest.approx(proportions_ztest([560, 500], [4950, 5050])[1], rel=0.02)
    assert short.ratio_p == pytest.approx(stats.chisquare([4950, 5050, 5000]).pvalue)
    assert new.ratio_p == 1
    assert (second.left_out, told(result, "ratios")) == ("ratios", ("warn", ["z"]))
    assert told(result, "arms") == ("warn", ["x"])
    assert result.wins.among == 2


def test_statsig_and_growthbook(tmp_path):
    """Headings as growthbook/growthbook (ResultsDownloadButton) and statsig-io/docs (pulse/export) have them."""
    growthbook = reviewed(
        tmp_path,
        "test,metric,variation,riskOfChoosing,users,totalValue,perUserValue,perUserValueStdDev,"
        "chanceToBeatControl,percentChange,percentChangePValue,percentChangeCILower,percentChangeCIUpper\n"
        "a,Orders,Control,0,10000,900,0.09,0.28,,,,,\n"
        "a,Orders,Green,0,10100,990,0.098,0.29,0.97,0.089,0.04,0.004,0.174\n"
        "a,Revenue,Control,0,10000,9000,0.9,2.8,,,,,\n"
        "a,Revenue,Green,0,10100,9900,0.98,2.9,0.9,0.07,0.2,-0.04,0.18\n",
    )
    (test,) = growthbook.tests
    assert (test.arm, test.metric, test.lift, test.p_value) == ("Green", "Orders", 0.089, 0.04)
    assert test.ratio_p == pytest.approx(stats.chisquare([10000, 10100]).pvalue)
    assert (test.error, test.outcome) == (pytest.approx(0.17 / 2 / stats.norm.isf(0.025)), "won")
    statsig = reviewed(
        tmp_path,
        "name,rule,experiment_group,metric_type,metric_name,metric_dimension,start_date,end_date,units,mean,stderr\n"
        "b,,Control,event_count,buy,!statsig_topline,2026-05-01,2026-05-20,1000,2.0,0.03\n"
        "b,,Test,event_count,buy,!statsig_topline,2026-05-01,2026-05-20,1010,2.2,0.04\n",
    )
    (test,) = statsig.tests
    assert test.lift == pytest.approx(0.1)
    assert test.error == pytest.approx(1.1 * math.hypot(0.04 / 2.2, 0.03 / 2.0))
    assert test.p_value == pytest.approx(2 * stats.norm.sf(0.2 / 0.05))
    gates = reviewed(
        tmp_path,
        "name,rule,metric_name,start_date,end_date,test_units,ctrl_units,abs_delta,rel_delta,rel_stderr,z_score\n"
        "c,all,buy,2026-05-01,2026-05-20,500,510,0.1,0.05,0.02,2.5\n",
    )
    assert (gates.tests[0].lift, gates.tests[0].error) == (0.05, 0.02)


def test_a_table_that_is_neither_is_refused(tmp_path):
    assert "program-arms" in refused(tmp_path, "name,value\na,1\n")[0][2]


# --- Run folders


def runs(tmp_path):
    two = shutil.ignore_patterns("store-refit")
    shutil.copytree(SAMPLE, tmp_path / "runs", ignore=two)
    return Program(program="x", date="2026-12-31", runs=(str(tmp_path / "runs"),))


def test_readouts_in_a_folder(tmp_path):
    program = runs(tmp_path)
    result = review_program(program)
    known = by_name(result)
    assert set(known) == {"checkout-button", "onboarding-checklist"}
    record = json.loads(
        next((tmp_path / "runs").rglob("onboarding*/*/result.json")).read_text(encoding="utf-8")
    )
    (effect,) = [one for one in record["comparisons"] if one["role"] == "primary"]
    test = known["onboarding-checklist"]
    assert (test.lift, test.p_value) == (effect["lift"], effect["p_adjusted"])
    assert (test.low, test.high) == tuple(effect["lift_interval"][end] for end in ("low", "high"))
    assert test.error == pytest.approx((test.high - test.low) / 2 / 1.961, rel=1e-3)
    assert (test.shipped, test.outcome, test.by_rule, test.left_out) == (True, "won", False, "")
    checks = {check["name"]: check for check in record["checks"]}
    assert test.ratio_p == pytest.approx(checks["sample_ratio"]["value"])
    named = {source["file"].rpartition("/")[2]: source["sha256"] for source in program.inputs()}
    assert len(program.files()) == 2
    assert set(named) == {"result.json"}
    assert all(len(source["sha256"]) == 64 for source in program.inputs())


def test_an_altered_run_is_left_out_by_name(tmp_path):
    program = runs(tmp_path)
    file = next((tmp_path / "runs").rglob("checkout*/*/result.json"))
    file.write_text(file.read_text(encoding="utf-8").replace("0.0", "0.1", 1), encoding="utf-8")
    result = review_program(program)
    assert told(result, "altered") == ("warn", ["checkout-button"])
    assert set(by_name(result)) == {"onboarding-checklist"}


def refiled(folder, change):
    """Change a record as if it had been filed so."""
    record = json.loads((folder / archive.RESULT).read_text(encoding="utf-8"))
    about = json.loads((folder / archive.RUN).read_text(encoding="utf-8"))
    change(record, about)
    content = json.dumps(record).encode()
    (folder / archive.RESULT).write_bytes(content)
    about["outputs"][archive.RESULT] = hashlib.sha256(content).hexdigest()
    (folder / archive.RUN).write_text(json.dumps(archive.sealed(about)), encoding="utf-8")


def test_only_the_newest_run_counts_and_a_stopped_one_is_not_pooled(tmp_path):
    program = runs(tmp_path)
    first = next((tmp_path / "runs").rglob("checkout*/*/result.json")).parent
    second = first.with_name("2026-11-01-00000000")
    shutil.copytree(first, second)

    def stopped(record, about):
        record["as_of"] = about["as_of"] = "2026-11-01"
        record["status"] = about["status"] = "check_failed"
        record["checks"].append({"name": "plan_unchanged", "status": "pass", "value": None})

    refiled(second, stopped)
    result = review_program(program)
    test = by_name(result)["checkout-button"]
    assert (test.left_out, test.by_rule) == ("broken", True)
    assert told(result, "broken") == ("warn", ["checkout-button"])
    assert len(result.tests) == 2
    earlier = review_program(program, as_of=pd.Timestamp("2026-10-20").date())
    assert by_name(earlier)["checkout-button"].left_out == ""
    assert told(earlier, "later") == ("warn", ["checkout-button"])
    refiled(second, lambda record, _: record.update(exploratory=["x"]))
    assert told(review_program(program), "altered") == ("warn", ["checkout-button"])


def test_a_folder_without_runs_is_missing(tmp_path):
    program = Program(program="x", date="2026-12-31", runs=(str(tmp_path),))
    assert len(program.missing_files()) == 1


# --- What was shipped


def test_the_impact_is_not_the_sum_of_winners(tmp_path):
    random = np.random.default_rng(8)
    true = random.normal(0, 0.01, 300)
    seen = random.normal(true, 0.015)
    rows = [
        f"t{at},orders,{lift:.6f},0.015,{'shipped' if lift > 0.0294 else 'no'}"
        for at, lift in enumerate(seen)
    ]
    result = reviewed(tmp_path, "\n".join(["test,metric,lift,error,decision", *rows]))
    shipped = [at for at in range(300) if seen[at] > 0.0294]
    impact = result.impact
    assert impact.shipped == len(shipped)
    assert impact.announced == pytest.approx(np.prod(1 + np.round(seen[shipped], 6)) - 1)
    assert impact.low < np.prod(1 + true[shipped]) - 1 < impact.high
    assert impact.shrunk < 0.6 * impact.announced
    assert result.exaggeration == pytest.approx(seen[shipped].sum() / true[shipped].sum(), rel=0.25)


# --- The archive of Upworthy


def test_upworthy_finds_the_period_that_was_announced():
    """Announced as faulty in June 2024: tests of 25 June 2013 to 10 January 2014, about 22 % of all."""
    table = pd.read_parquet(data_file("upworthy_exploratory.parquet")).sample(
        frac=1, random_state=0
    )
    weeks = table["test_week"].astype(str)
    tests = pd.DataFrame(
        {
            "test": table["clickability_test_id"],
            "arm": (table.groupby("clickability_test_id").cumcount() + 1).astype(str),
            "units": table["impressions"],
            "successes": table["clicks"],
            "start": pd.to_datetime(weeks + "1", format="%Y%W%w").dt.date,
        }
    )
    result = review_program(Program(program="upworthy", date="2024-06-01"), data=tests)
    assert len(result.tests) == len(tests) - 4873
    period = result.broken_period
    assert period.start.isoformat() == "2013-06-24"  # the Monday of the week of 25 June
    assert period.end.isoformat() == "2014-01-12"  # the Sunday of the week of 10 January
    assert period.p_value == 0.001
    assert period.tests / 4873 == pytest.approx(0.22, abs=0.01)
    assert {
        test.left_out for test in result.tests if period.start <= (test.start) <= period.end
    } == {"period"}
    assert result.pooled.count < 4873 - period.tests
    # In an order by chance its arms are exchangeable: the average of log ratios is 0, and as many win as lose.
    assert result.pooled.low < 0 < result.pooled.high
    assert abs(result.wins.count - result.losses.count) < 60
