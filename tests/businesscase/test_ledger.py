"""The ledger: grades that fall with their file, ranges that widen, what nobody uses, what opslab assumes."""

import datetime
import hashlib

import numpy as np
import pytest
from cases import benefit, cost, fields, finding, hours_case, money, share, simple, source, units

from opslab.businesscase import build
from opslab.businesscase.ledger import prepare
from opslab.businesscase.spec import Case
from opslab.evidence import Quantity, SourceFile
from opslab.uncertainty.calibration import UNTRAINED, widened, widening
from opslab.uncertainty.distributions import (
    Beta,
    Quantiles,
    StudentT,
    beta_interval,
    lognormal,
    quantile,
)
from opslab.uncertainty.draws import scores

FACTOR = (
    1.6448536269514722 / 0.7554150263604693
)  # z(95 %) / z(77.5 %): 90 % intervals that hold 55 %


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A workspace; returns its folder."""
    (tmp_path / "opslab.toml").touch()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("OPSLAB_REPORTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filed(folder, likely=100_000, **more):
    """Return the fields of a case whose gain stands on a file, and write the file."""
    (folder / "payroll.csv").write_bytes(b"rows")
    declared = simple()
    gain = {key: value for key, value in declared["assumptions"][0].items() if key != "likely"}
    ends = (
        {"likely": likely}
        if not isinstance(likely, tuple)
        else dict(zip(("low", "high"), likely, strict=True))
    )
    declared["assumptions"][0] = gain | ends | {"file": "payroll.csv", "grade": "C"} | more
    return declared


def entry(declared, name="gain", **more):
    return build(Case(**declared), draws=1_000, **more).entry(name)


NOTED = hashlib.sha256(b"rows").hexdigest()


def test_a_file_that_is_there_and_unchanged_leaves_everything(folder):
    for noted in ({}, {"sha256": NOTED}):
        one = entry(filed(folder, (80_000, 120_000), **noted))
        assert (one.grade, one.declared, one.fallen, one.stated) == ("C", "C", None, None)
        assert (one.low, one.high) == (pytest.approx(80_000), pytest.approx(120_000))


def lost(folder, how, likely, **more):
    declared = filed(folder, likely, **({"sha256": NOTED} if how == "changed" else {}), **more)
    if how == "gone":
        (folder / "payroll.csv").unlink()
    else:
        (folder / "payroll.csv").write_bytes(b"rowz")
    return declared


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_lost_file_is_an_opinion_and_widens(folder, how):
    """A lognormal's log spread is 2.18 times as wide about the same mean; the entry tells what was stated."""
    one = entry(lost(folder, how, (80_000, 120_000)))
    stated = lognormal(80_000, 120_000)
    assert (one.grade, one.declared, one.fallen) == ("F", "C", how)
    assert one.value == pytest.approx(stated.mean)
    assert np.log(one.high / one.low) == pytest.approx(FACTOR * np.log(120_000 / 80_000))
    assert one.stated == (pytest.approx(stated.mean), pytest.approx(80_000), pytest.approx(120_000))


def test_a_known_number_becomes_a_range_about_itself(folder):
    one = entry(lost(folder, "gone", 100_000))
    assert one.low < 100_000 / 1.25
    assert one.high > 1.25 * 100_000
    assert one.value == pytest.approx(100_000, rel=0.01)


def test_a_lost_file_never_raises_a_known_mean(folder):
    assert entry(lost(folder, "gone", 100_000)).value == pytest.approx(100_000, rel=1e-6)
    for given in (0.05, 0.5, 0.8, 0.95):
        declared = simple()
        declared["assumptions"].append(share("z", given, file="gone.csv"))
        assert entry(declared, "z").value == pytest.approx(given, rel=0.005)


def test_zero_and_all_stay_what_they_are(folder):
    declared = simple()
    declared["assumptions"] += [share("all", 1, file="gone.csv"), money("free", 0, file="gone.csv")]
    assert [
        (one.value, one.grade) for one in (entry(declared, "all"), entry(declared, "free"))
    ] == [
        (1, "F"),
        (0, "F"),
    ]


def test_only_what_depends_on_the_lost_file_changes(folder):
    """Every other quantity's draws are those of before, and so is an option that does not use it."""

    def declared():
        made = filed(folder, (80_000, 120_000))
        made["assumptions"] += [money("more", (1_000, 3_000)), money("fee", (300, 900))]
        made["benefits"].append(benefit("another", "more"))
        made["costs"].append(cost("fee", "fee"))
        made["options"].append(
            {"name": "small", "kind": "minimum", "benefits": ["another"], "costs": ["fee"]}
        )
        return made

    whole = build(Case(**declared()), draws=1_000)
    with_file = declared()
    (folder / "payroll.csv").unlink()
    less = build(Case(**with_file), draws=1_000)
    assert less.option("small") == whole.option("small")
    assert less.recommended.costs == whole.recommended.costs
    assert {one.id for one in whole.ledger if one != less.entry(one.id)} == {"gain"}
    assert less.recommended.npv.p10 < whole.recommended.npv.p10
    assert less.recommended.npv.p90 > whole.recommended.npv.p90
    assert less.check("files").status == "warn"
    assert less.check("files").detail.values == {"ids": ["gain"]}
    assert whole.check("files").status == "pass"
    assert "payroll.csv" in less.record()["missing"]


def hours(folder, *sources, **more):
    return build(Case(**hours_case(**more)), {"e": [finding(sources=sources)]}, draws=1_000)


def test_a_finding_whose_source_is_changed_is_an_opinion(folder):
    (folder / "data").mkdir()
    told = source(folder / "data/log.csv", name="data/log.csv")
    whole = hours(folder, told)
    assert (whole.entry("e").grade, whole.lines[0].grade) == (
        "B",
        "D",
    )  # the worth of an hour is of grade D
    (folder / "data/log.csv").write_bytes(b"other")
    less = hours(folder, told)
    assert (less.entry("e").grade, less.entry("e").fallen, less.lines[0].grade) == (
        "F",
        "changed",
        "F",
    )
    assert less.entry("e").value == pytest.approx(whole.entry("e").value)
    assert less.entry("e").stated == (
        whole.entry("e").value,
        whole.entry("e").low,
        whole.entry("e").high,
    )
    assert less.entry("e").high - less.entry("e").low > whole.entry("e").high - whole.entry("e").low
    assert less.entry("rate") == whole.entry("rate")


def test_a_source_outside_the_workspace_is_found_in_a_folder_that_the_case_names(
    folder, tmp_path_factory
):
    """A readout tells its bare name (`workspace.shown`)."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    told = source(elsewhere / "log.csv")
    assert hours(folder, told).entry("e").fallen == "gone"
    assert hours(folder, told, sources=[str(elsewhere)]).entry("e").fallen is None
    (elsewhere / "log.csv").write_bytes(b"other")
    assert hours(folder, told, sources=[str(elsewhere)]).entry("e").fallen == "changed"


def test_a_source_in_the_reports_is_found(folder):
    told = source(
        folder / "reports/experiment_readout/x/result.json", name="experiment_readout/x/result.json"
    )
    assert hours(folder, told).entry("e").fallen is None


def test_a_table_without_a_file_is_not_gone(folder):
    assert hours(folder, SourceFile("table", None, 5)).entry("e").fallen is None


def test_a_lost_finding_stays_within_what_can_be(folder):
    assert hours(folder, SourceFile("data/gone.csv", NOTED, 1)).lines[0].quantity.p10 > 0
    low = Quantity("beta", {"a": 0.6, "b": 6.0}, 0.09, 0.0, 0.3, 0.9)
    gone = finding(quantity=low, sources=(SourceFile("data/gone.csv", NOTED, 1),))
    assert prepare(*_with(gone)).known["e"].entry.low >= 0


def _with(one):
    from opslab.businesscase.citations import Finding

    made = Case(**hours_case())
    return made, (Finding("e", "e", one, None),), made.date


@pytest.mark.parametrize(("grade", "wider"), [("D", False), ("C", False), ("E", True), ("F", True)])
@pytest.mark.parametrize("calibration", ["trained", "untrained"])
def test_what_people_say_is_widened_unless_they_are_trained(grade, wider, calibration):
    declared = simple(calibration=calibration)
    declared["assumptions"][0].pop("likely")
    declared["assumptions"][0].update(low=80, high=120, grade=grade)
    one = entry(declared)
    factor = FACTOR if wider and calibration == "untrained" else 1
    assert np.log(one.high / one.low) == pytest.approx(factor * np.log(120 / 80))
    assert (one.stated is None) == (factor == 1)
    assert one.value == pytest.approx(lognormal(80, 120).mean)
    assert build(Case(**declared), draws=1_000).factor == pytest.approx(
        FACTOR if calibration == "untrained" else 1
    )


def test_known_numbers_are_not_widened():
    one = entry(
        simple(calibration="untrained")
        | {
            "assumptions": [
                money("gain", 100_000, grade="F"),
                money("pay", 60_000, grade="F"),
                money("idle", 0),
            ]
        }
    )
    assert (one.value, one.low, one.high, one.stated) == (100_000, 100_000, 100_000, None)


@pytest.mark.parametrize("ends", [(0.02, 0.1), (0.3, 0.7), (0.6, 0.9), (0.9, 0.99)])
def test_shares_stay_shares_when_they_widen(ends):
    declared = simple(calibration="untrained")
    declared["assumptions"].append(share("use", ends, grade="F"))
    one = entry(declared, "use")
    assert 0 <= one.low < ends[0]
    assert ends[1] < one.high <= 1
    assert one.value == pytest.approx(beta_interval(*ends).mean)


def spoken(calibration, **more):
    """Return the gains of a case in which everything but decay and slip is said by people."""
    said = {"grade": "F"}
    declared = fields(
        [
            units("n", (20, 60), "ticket", **said),
            money("w", (100, 300), "ticket", **said),
            share("use", (0.5, 0.9), **said),
            share("work", (0.3, 0.6), **said),
            share("wear", (0.05, 0.3), **said),
            money("pay", 1),
        ],
        [
            benefit(
                "g",
                "n",
                worth="w",
                adoption="use",
                recapture="work",
                decay="wear",
                kind="capacity",
                ramp_months=6,
            )
        ],
        [cost("c", "pay")],
        calibration=calibration,
        **more,
    )
    return build(Case(**declared), draws=60_000).recommended.benefits["all"]


def test_worse_calibration_earns_no_bigger_gains():
    """The mean stays (within four Monte Carlo errors of the wider one), the range does not."""
    trained, untrained = spoken("trained"), spoken("untrained")
    error = (untrained.p90 - untrained.p10) / 2 / 60_000**0.5
    assert untrained.mean == pytest.approx(trained.mean, abs=4 * error)
    assert untrained.p10 < trained.p10


def late(calibration):
    declared = simple(
        calibration=calibration,
        roadmap=[
            {
                "id": "go",
                "name": "go",
                "starts": "2027-01-01",
                "ends": "2029-01-31",
                "slip": {"low": 2, "high": 16},
            }
        ],
    )
    declared["benefits"][0]["starts"] = "go"
    return build(Case(**declared), draws=5_000).recommended.benefits["all"].mean


def test_worse_calibration_of_lateness_earns_no_bigger_gains():
    assert late("untrained") <= late("trained") * 1.01


def test_a_decay_whose_file_is_lost_earns_no_bigger_gains(folder):
    def gains(**more):
        declared = fields(
            [money("gain", 100_000), money("pay", 1), share("wear", (0.2, 0.6), **more)],
            [benefit("g", "gain", kind="capacity", decay="wear")],
            [cost("c", "pay")],
        )
        return build(Case(**declared), draws=5_000).recommended.benefits["all"].mean

    assert gains(file="gone.csv") <= gains() * 1.01


def test_checks_that_are_over_are_told():
    declared = simple()
    declared["assumptions"][0].update(checked="2026-01-01", next_check="2026-10-04")
    declared["assumptions"][1].update(checked="2026-01-01", next_check="2026-10-05")
    result = build(Case(**declared), draws=1_000)
    assert [one.id for one in result.ledger if one.overdue] == ["gain"]
    assert (result.check("ledger").status, result.check("ledger").detail.values) == (
        "warn",
        {"ids": ["gain"]},
    )
    later = build(Case(**declared), draws=1_000, as_of=datetime.date(2026, 10, 6))
    assert [one.id for one in later.ledger if one.overdue] == ["gain", "pay"]
    assert build(Case(**simple()), draws=1_000).check("ledger").status == "pass"


def test_what_nobody_uses_stands_in_the_ledger_unused():
    declared = simple()
    declared["assumptions"].append(money("spare", 5))
    result = build(Case(**declared), draws=1_000)
    assert {one.id: one.used_by for one in result.ledger} == {
        "gain": ("gained",),
        "pay": ("paid",),
        "spare": (),
        "idle": ("idle",),
    }


def test_what_opslab_assumes_is_told_as_its_own():
    """Half of freed hours become work, an eighth of a gain is lost in a year; neither where the case says so."""
    declared = hours_case()
    for name in ("recapture", "decay"):
        del declared["benefits"][0][name]
    ledger = {
        one.id: one for one in build(Case(**declared), {"e": [finding()]}, draws=1_000).ledger
    }
    for name, ends in (("default-recapture", (0.3, 0.7)), ("default-decay", (0.1, 0.15))):
        one = ledger[name]
        assert (one.kind, one.grade, one.used_by) == ("default", "F", ("hours",))
        assert (one.low, one.high) == (pytest.approx(ends[0]), pytest.approx(ends[1]))
    said = build(Case(**hours_case()), {"e": [finding()]}, draws=1_000)
    assert not [one for one in said.ledger if one.kind == "default"]


def test_a_slip_is_a_line_of_its_own():
    declared = simple(
        roadmap=[
            {
                "id": "go",
                "name": "go",
                "starts": "2027-01-01",
                "ends": "2027-01-31",
                "owner": "ops",
                "slip": {"low": 1, "high": 4},
            }
        ]
    )
    declared["benefits"][0]["starts"] = "go"
    one = entry(declared, "slip:go")
    assert (one.low, one.high, one.owner, one.used_by) == (
        pytest.approx(1),
        pytest.approx(4),
        "ops",
        ("gained", "idle"),
    )


# The shapes that findings bring


def test_student_t_is_scipys():
    from scipy import stats

    made = StudentT(2.0, 3.0, 7.0)
    shares = np.array([0.001, 0.05, 0.5, 0.9, 0.9999])
    z = stats.norm.ppf(shares)
    np.testing.assert_allclose(made.at(z), stats.t(7, 2, 3).ppf(shares), rtol=1e-9, atol=1e-9)
    assert made.sd == pytest.approx(stats.t(7, 2, 3).std())
    many = np.resize(z, 5_000)
    np.testing.assert_allclose(
        made.at(many), stats.t(7, 2, 3).ppf(np.resize(shares, 5_000)), rtol=1e-3
    )
    assert quantile(widened(made, 2.0), 0.95) - 2 == pytest.approx(2 * (quantile(made, 0.95) - 2))
    assert widened(made, 2.0).mean == 2.0


def test_quantiles_go_through_their_points_and_have_their_mean():
    values = (100.0, 160.0, 200.0, 250.0, 330.0)
    made = Quantiles((0.05, 0.25, 0.5, 0.75, 0.95), values, 207.0)
    drawn = made.at(scores("q", 400_000, 1))
    assert drawn.mean() == pytest.approx(207.0, abs=4 * drawn.std() / 400_000**0.5)
    assert drawn.std() == pytest.approx(made.sd, rel=0.01)
    moved = quantile(made, 0.5) - 200
    assert [quantile(made, one) for one in made.shares] == [
        pytest.approx(value + moved) for value in values
    ]
    assert abs(moved) < 1
    wide = widened(made, 2.0)
    assert wide.mean == 207.0
    assert wide.sd == pytest.approx(2 * made.sd)
    assert (made.at(np.array([-9.0, 9.0])) == [made.low, made.high]).all()


@pytest.mark.parametrize(
    "made",
    [lognormal(5, 20), beta_interval(0.2, 0.6), Beta(2.0, 5.0, 10.0, 50.0), StudentT(5, 1, 9)],
)
def test_widening_keeps_the_mean(made):
    wider = widened(made, widening(UNTRAINED))
    assert wider.mean == pytest.approx(made.mean)
    assert wider.sd > made.sd
