"""Thirty changes of one thing each: what was filed is not returned for what is not the same any more."""

from __future__ import annotations

import copy
import hashlib
import importlib.metadata
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from conftest import ROOT
from opslab.cli import main
from opslab.errors import OpslabError
from opslab.evidence import RECORD_TYPE
from opslab.runs.failure import Failure
from opslab.tables.profiles import load_profile

SPEC = """experiment: trial
question: Does the new page sell more?
owner: growth
data: {path: "NAME", rows: unit}
unit: user
arms: {column: variant, control: control, weights: {control: 1, treatment: 1}}
period: {time: day, start: 2026-09-01, end: 2026-09-02}
design: {method: fixed, alpha: 0.05, power: 0.8}
metrics:
  - {name: bought, type: mean, column: bought, role: primary, goal: increase, mde: {relative: 0.5}}
"""
EXPERIMENT = (
    "from opslab import experiments, report",
    'spec = "trial.yaml"\nas_of = ""\nlanguage = "en"',
    (
        "parameters = experiments.ReadoutParameters.of(spec=spec, as_of=as_of, language=language)\n"
        "experiment = parameters.experiment()\n"
        "result = experiments.analyze(\n"
        "    experiment, as_of=parameters.day(experiment), language=parameters.language\n)"
    ),
    "report.publish(result)",
)
DESK = (
    "from opslab import report, timesaved",
    'spec = "desk.yaml"\nas_of = ""\nlanguage = "en"\ndraws = 1000\nseed = 1',
    (
        'given = {"spec": spec, "as_of": as_of, "draws": draws, "seed": seed, "language": language}\n'
        "parameters = timesaved.TimeSavedParameters.of(**given)\n"
        "inventory = parameters.inventory()\n"
        'options = {"draws": parameters.draws, "seed": parameters.seed, "language": parameters.language}\n'
        "result = timesaved.estimate(inventory, as_of=parameters.day(inventory), **options)"
    ),
    "report.publish(result)",
)
HERE = "there already"


@dataclass
class Place:
    """A workspace with its runs, all in the process of the test: no kernel is started."""

    folder: Path
    patch: pytest.MonkeyPatch
    before_reading: list[Callable[[], None]] = field(default_factory=list)
    after_reading: list[Callable[[], None]] = field(default_factory=list)
    notebook: str = "experiment_readout"

    def ask(self, *options: str):
        return CliRunner().invoke(main, ["run", self.notebook, *map(str, options)])

    def run(self, *options: str) -> Path:
        """Return the folder of a run that has to come to its end."""
        done = self.ask(*options)
        assert done.exit_code == 0, done.output
        return the_folder(done)

    def file(self, name: str) -> Path:
        return self.folder / name

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a file, and leave its time as it was; its size too where both texts are as long."""
        path, about = self.file(name), self.file(name).stat()
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new, 1).encode())
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))

    def execute(self, notebook, parameters, *_, **__):
        """Execute a notebook as a kernel would: outputs in its cells, an error where one stopped."""
        from opslab.runs.execution import Execution

        executed, names, failure = copy.deepcopy(notebook), {"__name__": "__main__"}, None
        for act in self.before_reading:
            act()
        self.patch.setattr("opslab.provenance._read", {})  # a kernel has read nothing yet
        self.patch.setattr("opslab.provenance._opened", {"": None})
        load_profile.cache_clear()
        cells = [cell for cell in executed.cells if cell.cell_type == "code"]
        for count, cell in enumerate(cells, 1):
            try:
                exec(cell.source, names)
            except OpslabError as error:
                failure = Failure("error", cell["id"], type(error).__name__, str(error))
                break
            if "parameters" in cell.metadata.get("tags", []):
                names |= parameters
            cell.execution_count, cell.outputs = count, self._shown()
        for act in self.after_reading:
            act()
        return Execution(executed, failure)

    def _shown(self) -> list:
        outputs, self.displayed[:] = list(self.displayed), []
        return outputs

    def __post_init__(self) -> None:
        self.displayed: list = []

        def display(data, metadata=None, raw=True):
            self.displayed.append(new_output("display_data", data=data, metadata=metadata or {}))

        self.patch.setattr("IPython.display.display", display)
        self.patch.setattr("opslab.runs.execution.execute", self.execute)
        for area in ("experiments", "timesaved"):  # figures take long and decide nothing here
            self.patch.setattr(f"opslab.{area}.presentation.figures", lambda *_: {})


def the_folder(done) -> Path:
    page = re.search(r"^(\S+readout\.html)", done.output, re.MULTILINE)
    assert page, done.output
    return Path(page[1]).parent


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def record(folder: Path):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def whole(folder: Path) -> bool:
    """Whether the files of a run are those that its ``run.json`` names."""
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in told["outputs"]
    }
    return hashes == told["outputs"] and {"readout.html", "result.json", "notebook.ipynb"} <= set(
        hashes
    )


def rows(seed: int = 1, users: int = 400) -> str:
    dice, lines = random.Random(seed), ["user,variant,day,bought"]
    for user in range(users):
        arm = dice.choice(("control", "treatment"))
        bought = int(dice.random() < (0.3 if arm == "control" else 0.6))
        lines.append(f"u{user},{arm},2026-09-{dice.randint(1, 2):02d},{bought}")
    return "\n".join(lines) + "\n"


def write_notebook(path: Path, name: str, sources) -> None:
    cells = [new_markdown_cell("# Question", id="title")]
    cells += [new_code_cell(source, id=f"c{number}") for number, source in enumerate(sources)]
    cells[2].metadata["tags"] = ["parameters"]
    about = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "opslab": {"notebook": name},
    }
    nbformat.write(new_notebook(cells=cells, metadata=about), path)


@pytest.fixture(scope="module")
def filed(tmp_path_factory):
    """Make a workspace in which one experiment and one desk are filed already."""
    folder = tmp_path_factory.mktemp("identity") / "workspace"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "profiles").mkdir()
    (folder / "opslab.toml").touch()
    write_notebook(folder / "notebooks/experiment_readout.ipynb", "experiment_readout", EXPERIMENT)
    (folder / "trial.yaml").write_text(SPEC.replace("NAME", "trial.csv"), encoding="utf-8")
    (folder / "trial.csv").write_text(rows(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPSLAB_WORKSPACE", raising=False)
        place = Place(folder, patch)
        run = place.run("-p", "spec=trial.yaml")
        assert whole(run)
    return folder, run.relative_to(folder)


@pytest.fixture
def place(filed, tmp_path, monkeypatch):
    """Give a copy of that workspace."""
    folder = tmp_path / "workspace"
    shutil.copytree(filed[0], folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("OPSLAB_WORKSPACE", raising=False)
    return Place(folder, monkeypatch)


@pytest.fixture
def run(filed, place):
    """Give the run that is filed in that copy."""
    return place.folder / filed[1]


def again(place, *options: str):
    return place.ask("-p", "spec=trial.yaml", *options)


def test_nothing_changed_is_there_already(place, run):
    before = bytes_of(run)
    done = again(place)
    assert (done.exit_code, the_folder(done)) == (0, run)
    assert HERE in done.output
    assert bytes_of(run) == before


def touch(place):
    for path in place.folder.rglob("*"):
        os.utime(path, (0, 0))


def outside(place):
    for name, value in {"TZ": "Asia/Tokyo", "LANG": "de_DE", "OPSLAB_ON_BLOCKING": "raise"}.items():
        place.patch.setenv(name, value)


def parameters_cell(place):
    place.replace("notebooks/experiment_readout.ipynb", "trial.yaml", "other.yaml")


@pytest.mark.parametrize("change", [touch, outside, parameters_cell])
def test_what_cannot_change_a_readout_is_no_other_run(place, run, change):
    change(place)
    done = again(place)
    assert (done.exit_code, the_folder(done)) == (0, run)
    assert HERE in done.output


def a_swapped_link(place):
    (place.folder / "other.csv").write_text(rows(2), encoding="utf-8")
    place.file("trial.csv").unlink()
    place.file("trial.csv").symlink_to("other.csv")


def renamed_and_named(place):
    place.file("trial.csv").rename(place.file("other.csv"))
    place.replace("trial.yaml", "trial.csv", "other.csv")


def an_upgrade(place):
    known = importlib.metadata.Distribution.version.fget
    version = property(lambda self: "99.0" if self.metadata["Name"] == "numpy" else known(self))
    place.patch.setattr(importlib.metadata.Distribution, "version", version)
    from opslab.runs.environment import environment

    environment.cache_clear()
    place.patch.setattr(place, "cleanup", environment.cache_clear, raising=False)


CHANGES = {
    "data of the same size and time": lambda p: p.replace("trial.csv", "u7,", "u_,"),
    "data with other line ends": lambda p: p.replace("trial.csv", "\n", "\r\n"),
    "a spec's question": lambda p: p.replace("trial.yaml", "sell more", "sell less"),
    "a comment in the spec": lambda p: p.replace("trial.yaml", "unit: user", "unit: user  # who"),
    "a code cell": lambda p: p.replace(
        "notebooks/experiment_readout.ipynb", "publish(result)", "publish(result) "
    ),
    "a text cell": lambda p: p.replace("notebooks/experiment_readout.ipynb", "# Question", "# Why"),
    "a tag": lambda p: p.replace(
        "notebooks/experiment_readout.ipynb", '"metadata": {}', '"metadata": {"tags": ["analyst"]}'
    ),
    "a renamed file": renamed_and_named,
    "a swapped link": a_swapped_link,
    "an upgraded dependency": an_upgrade,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_input_is_another_run(place, run, change):
    before = bytes_of(run)
    change(place)
    try:
        done = again(place)
    finally:
        getattr(place, "cleanup", lambda: None)()
    assert done.exit_code == 0, done.output
    assert HERE not in done.output
    assert the_folder(done) != run
    assert whole(the_folder(done))
    assert bytes_of(run) == before


@pytest.mark.parametrize("given", ["as_of=2026-09-30", "language=fr"])
def test_another_parameter_is_another_run(place, run, given):
    other = place.run("-p", "spec=trial.yaml", "-p", given)
    assert other != run
    assert whole(other)


@pytest.mark.parametrize(
    ("name", "gone"), [("trial.csv", "moved"), ("trial.csv", "removed"), ("trial.yaml", "removed")]
)
def test_an_input_that_is_gone_is_refused_although_the_run_is_there(place, run, name, gone):
    if gone == "moved":
        place.file(name).rename(place.file("other.csv"))
    else:
        place.file(name).unlink()
    done = again(place)
    assert done.exit_code == 2
    assert name in done.output


def edit(path: Path, change) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    change(told)
    path.write_text(json.dumps(told), encoding="utf-8")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


ALTERED = {
    "a halved page": ("readout.html", halve),
    "an empty page": ("readout.html", lambda path: path.write_bytes(b"")),
    "a removed page": ("readout.html", Path.unlink),
    "an edited result": (
        "result.json",
        lambda path: edit(path, lambda told: told.update(status="check_failed")),
    ),
    "a result with a space more": (
        "result.json",
        lambda path: path.write_bytes(path.read_bytes() + b" "),
    ),
    "a removed result": ("result.json", Path.unlink),
    "a result that is a folder": ("result.json", lambda path: (path.unlink(), path.mkdir())),
    "an edited notebook": (
        "notebook.ipynb",
        lambda path: edit(path, lambda told: told["cells"].pop()),
    ),
    "a removed notebook": ("notebook.ipynb", Path.unlink),
    "a failed status": (
        "run.json",
        lambda path: edit(path, lambda told: told.update(status="failed")),
    ),
    "a turned status": (
        "run.json",
        lambda path: edit(path, lambda told: told.update(status="check_failed")),
    ),
    "an edited headline": (
        "run.json",
        lambda path: edit(path, lambda told: told.update(headline="Sales doubled.")),
    ),
    "no hashes": ("run.json", lambda path: edit(path, lambda told: told.update(outputs={}))),
    "one hash less": (
        "run.json",
        lambda path: edit(path, lambda told: told["outputs"].pop("result.json")),
    ),
    "garbage": ("run.json", lambda path: path.write_bytes(b"\xff\x00{")),
    "a list": ("run.json", lambda path: path.write_bytes(b"[" * 100_000)),
    "an empty run.json": ("run.json", lambda path: path.write_bytes(b"")),
    "a removed run.json": ("run.json", Path.unlink),
}


RARER = {
    "a removed page",
    "a result with a space more",
    "a removed notebook",
    "one hash less",
    "a list",
    "an empty run.json",
}


@pytest.mark.parametrize(
    ("name", "alter"),
    [
        pytest.param(*values, id=what, marks=[pytest.mark.slow] * (what in RARER))
        for what, values in ALTERED.items()
    ],
)
def test_a_filed_run_that_was_altered_is_told_and_made_anew(place, run, name, alter):
    before = bytes_of(run)
    alter(run / name)
    done = again(place)
    assert done.exit_code == 0, done.output
    assert the_folder(done) == run
    assert HERE not in done.output
    assert name in done.output
    after = bytes_of(run)
    assert all(after[kept] == before[kept] for kept in before if kept != "run.json")
    assert whole(run)
    assert json.loads(after["run.json"])["headline"] == json.loads(before["run.json"])["headline"]
    assert HERE in again(place).output


def test_a_filed_run_under_a_file_s_name_is_no_run(place, run):
    shutil.rmtree(run)
    run.write_bytes(b"")
    done = again(place)
    assert done.exit_code in {0, 5}
    assert "defect" not in done.output
    assert HERE not in done.output


SIGNS = {
    "export[1].csv": "export1.csv",
    "all*.csv": "all1.csv",
    "data?.csv": "data1.csv",
    "{a,b}.csv": "a.csv",
    "**.csv": "x.csv",
    'it\'s "1".csv': "its.csv",
    "100%.csv": "100.csv",
    "a#b;c.csv": "a.csv",
    "$HOME.csv": "home.csv",
}


@pytest.mark.parametrize(
    "name", [*list(SIGNS)[:4], *(pytest.param(n, marks=pytest.mark.slow) for n in list(SIGNS)[4:])]
)
def test_a_name_with_signs_of_patterns_is_one_file(place, run, name):
    beside = place.file(SIGNS[name])
    beside.write_text(rows(3, users=300), encoding="utf-8")
    spec = (place.folder / "trial.yaml").read_text(encoding="utf-8")
    quoted = spec.replace('"trial.csv"', json.dumps(name))
    place.file("trial.yaml").write_text(quoted, encoding="utf-8")
    assert again(place).exit_code == 2, "not there, whatever the pattern would find"
    place.file(name).write_text(rows(), encoding="utf-8")
    named = place.run("-p", "spec=trial.yaml")
    assert record(named)["comparisons"] == record(run)["comparisons"]
    beside.write_text(rows(4, users=300), encoding="utf-8")
    assert HERE in again(place).output
    place.file(name).write_text(rows(5), encoding="utf-8")
    other = place.run("-p", "spec=trial.yaml")
    assert other != named
    assert record(other)["comparisons"] != record(run)["comparisons"]


def other_data(place):
    place.file("trial.csv").write_text(rows(6), encoding="utf-8")


def same_size(place):
    place.replace("trial.csv", "u7,", "u_,")


def other_spec(place):
    place.replace("trial.yaml", "alpha: 0.05", "alpha: 0.10")


def other_link(place):
    place.file("trial.csv").rename(place.file("first.csv"))
    place.file("second.csv").write_text(rows(7), encoding="utf-8")
    place.file("trial.csv").symlink_to("second.csv")


@pytest.mark.parametrize("change", [other_data, same_size, other_spec, other_link])
@pytest.mark.parametrize("back", [False, True], ids=["", "and back after it was read"])
def test_a_file_that_changes_between_hash_and_reading_is_never_filed(place, run, change, back):
    name = "trial.yaml" if change is other_spec else "trial.csv"
    content, about = place.file(name).read_bytes(), place.file(name).stat()
    shutil.rmtree(run)

    def restore():
        place.file(name).unlink()
        place.file(name).write_bytes(content)
        os.utime(place.file(name), ns=(about.st_atime_ns, about.st_mtime_ns))

    place.before_reading.append(lambda: change(place))
    if back:
        place.after_reading.append(restore)
    done = again(place)
    assert done.exit_code == 2, done.output
    named = {name, "second.csv"} if change is other_link else {name}
    assert any(file in done.output for file in named)
    assert not [path for path in run.parent.iterdir() if not path.name.endswith(".failed")]


def test_a_file_that_changes_after_it_was_read_does_not_matter_to_that_run(place, run):
    before = bytes_of(run)
    place.after_reading.append(lambda: other_data(place))
    done = again(place, "--force")
    assert done.exit_code in {0, 2}, done.output  # filed as what was read, or refused
    assert record(run) == json.loads(before["result.json"])
    place.after_reading.clear()
    assert place.run("-p", "spec=trial.yaml") != run


def forged(run: Path, to: Path) -> Path:
    notebook = nbformat.read(run / "notebook.ipynb", as_version=4)
    (shown,) = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if RECORD_TYPE in output.get("data", {})
    ]
    shown.data[RECORD_TYPE]["comparisons"][0]["lift"] = 9.99
    shown.data["text/plain"] = "Sales went up tenfold."
    nbformat.write(notebook, to)
    return to


@pytest.mark.parametrize("there", [False, True])
def test_a_forged_notebook_that_was_rendered_is_never_returned_as_a_run(place, run, there):
    before = bytes_of(run)
    mine = forged(run, place.folder / "mine.ipynb")
    if not there:
        shutil.rmtree(run)
    rendered = CliRunner().invoke(main, ["render", str(mine)])
    assert rendered.exit_code in {0, 2}
    if there:
        assert bytes_of(run) == before, "what was rendered takes no run's place"
    done = again(place)
    assert done.exit_code == 0
    assert the_folder(done) == run
    assert bytes_of(run)["result.json"] == before["result.json"]
    assert "tenfold" not in done.output + (run / "readout.html").read_text(encoding="utf-8")


HEADINGS = (
    "task,role,initiative,people,eligible_share,frequency_low,frequency_high,minutes_low,minutes_high,"
    "reduction_low,reduction_high,adoption_low,adoption_high,ramp_months,recapture_low,recapture_high,"
    "rate,currency,benefit,owner,basis,source"
)
END = "62,EUR,capacity,head of product,survey,interviews of eight"
SHEET = f"""{HEADINGS}
tag feedback,product manager,desk,14,100%,3,6,20,45,40%,75%,70%,95%,6,35%,60%,{END}
weekly status,product manager,templates,14,100%,1,1.5,30,75,20%,50%,60%,90%,4,35%,60%,{END}
"""
PROFILE = "time-inventory"


@pytest.fixture
def desk(place):
    """File a run of an inventory whose table is read by a profile of the workspace's own."""
    place.notebook = "time_saved"
    write_notebook(place.file("notebooks/time_saved.ipynb"), "time_saved", DESK)
    package = (ROOT / f"src/opslab/tables/profiles/{PROFILE}.yaml").read_text(encoding="utf-8")
    place.file(f"profiles/{PROFILE}.yaml").write_text(package, encoding="utf-8")
    place.file("desk.yaml").write_text(
        "inventory: desk\nquestion: What is freed?\nowner: operations\ndate: 2026-10-05\n"
        "data: {path: desk.csv, decimal: point}\nworking_weeks: 45\ncontract_hours: 37\n"
        "horizon_months: 36\n",
        encoding="utf-8",
    )
    place.file("desk.csv").write_text(SHEET, encoding="utf-8")
    return place.run("-p", "spec=desk.yaml", "-p", "draws=1000")


def desk_again(place, *options: str):
    return place.ask("-p", "spec=desk.yaml", "-p", "draws=1000", *options)


@pytest.mark.parametrize("given", ["seed=2", "draws=1001"])
def test_another_seed_or_number_of_draws_is_another_run(place, desk, given):
    assert HERE in desk_again(place).output
    options = {"seed": "1", "draws": "1000"} | dict([given.split("=")])
    chosen = [part for name, value in options.items() for part in ("-p", f"{name}={value}")]
    assert place.run("-p", "spec=desk.yaml", *chosen) != desk


def edited_profile(place):
    """Another answer from the same bytes of data, and a longer file."""
    same_size_profile(place)
    profile = place.file(f"profiles/{PROFILE}.yaml")
    profile.write_bytes(profile.read_bytes() + b"# another sheet\n")


def same_size_profile(place):
    """Read what is adopted as what is put to work, and the other way round."""
    for end in ("low", "high"):
        for old, new in (("adoption", "-"), ("recapture", "adoption"), ("-", "recapture")):
            place.replace(f"profiles/{PROFILE}.yaml", f"[{old}_{end},", f"[{new}_{end},")


@pytest.mark.parametrize("change", [edited_profile, same_size_profile])
@pytest.mark.parametrize("force", [False, True])
def test_an_edited_profile_is_another_run_with_another_result(place, desk, change, force):
    before = bytes_of(desk)
    change(place)
    done = desk_again(place, *["--force"] * force)
    assert done.exit_code == 0, done.output
    assert HERE not in done.output
    assert the_folder(done) != desk
    assert record(the_folder(done)) != json.loads(before["result.json"])
    assert bytes_of(desk) == before


def test_a_removed_profile_is_another_run(place, desk):
    edited_profile(place)
    first = the_folder(desk_again(place))
    place.file(f"profiles/{PROFILE}.yaml").unlink()
    assert the_folder(desk_again(place)) != first


@pytest.mark.parametrize("back", [False, True], ids=["", "and back after it was read"])
def test_a_profile_that_changes_between_hash_and_reading_is_never_filed(place, desk, back):
    profile = place.file(f"profiles/{PROFILE}.yaml")
    content = profile.read_bytes()
    shutil.rmtree(desk)
    place.before_reading.append(lambda: edited_profile(place))
    if back:
        place.after_reading.append(lambda: profile.write_bytes(content))
    done = desk_again(place)
    assert done.exit_code == 2, done.output
    assert f"profiles/{PROFILE}.yaml" in done.output
    assert not [path for path in desk.parent.iterdir() if not path.name.endswith(".failed")]


def job(notebook: str, spec: str):
    from opslab.runs.job import Job
    from opslab.runs.own_notebooks import find

    return Job.of(find(notebook), {"spec": spec}, Path("reports").absolute()).digest


def test_a_profile_that_is_added_and_recognised_is_another_run(place):
    place.file("study.yaml").write_text(
        "study: desk\nquestion: What?\nowner: care\nstart: 2026-08-03\nend: 2026-09-27\n"
        "languages: [en]\nsources: [{path: said.csv, source: survey, decimal: point}]\n",
        encoding="utf-8",
    )
    place.file("said.csv").write_text(
        "Ref,Said on,Their words,More words\n1,2026-08-04,It is slow,It is quick\n",
        encoding="utf-8",
    )
    own = "profile: own\ntool: Ours\ntable: feedback\nrecognised_by: [id, text]\ncolumns:\n"
    own += "  id: {headers: [Ref]}\n  created_at: {headers: [Said on], kind: datetime}\n"
    digests = [job("feedback_themes", "study.yaml")]
    for heading in ("Their words", "More words"):
        profile = f"{own}  text: {{headers: [{heading}]}}\n"
        place.file("profiles/own.yaml").write_text(profile, encoding="utf-8")
        digests.append(job("feedback_themes", "study.yaml"))
    assert len({*digests}) == 3


CITED = "data/sample/runs/time_saved/product-desk"


@pytest.mark.parametrize("name", ["result.json", "run.json"])
def test_a_cited_run_that_was_edited_is_refused_by_name(place, name):
    shutil.copytree(ROOT / "data/sample", place.file("data/sample"))
    shutil.copy(ROOT / "notebooks/business_case.ipynb", place.file("notebooks"))
    before = job("business_case", "data/sample/product_ops.yaml")
    (cited,) = place.file(CITED).iterdir()
    text = (cited / name).read_text(encoding="utf-8")
    digit = (
        re.search(r"\d\.\d", text) if name == "result.json" else re.search(r'"digest": "\w', text)
    )
    changed = text[: digit.end() - 1] + ("1" if digit[0][-1] != "1" else "2") + text[digit.end() :]
    (cited / name).write_text(changed, encoding="utf-8")
    with pytest.raises(OpslabError, match=cited.name):
        job("business_case", "data/sample/product_ops.yaml")
    (cited / name).write_text(text, encoding="utf-8")
    assert job("business_case", "data/sample/product_ops.yaml") == before


def test_another_line_of_opslab_s_own_code_is_another_run(tmp_path):
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("_bundled", "*.pyc")
    )

    def digest() -> str:
        asked = "from opslab.runs.environment import environment as e; print(e()['opslab code'])"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
        command = [sys.executable, "-c", asked]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    before = digest()
    assert digest() == before
    path = tmp_path / "src/opslab/experiments/notebooks.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    changed = digest()
    assert changed != before
    (tmp_path / "src/opslab/another.py").touch()
    assert digest() not in {before, changed}


def really(place, *options: str, **environment: str):
    """Run in a process of its own, with a kernel."""
    command = [
        sys.executable,
        "-m",
        "opslab.cli",
        "run",
        "experiment_readout",
        "-p",
        "spec=trial.yaml",
    ]
    return subprocess.run(
        [*command, *options],
        cwd=place.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_environment_of_the_kernel_changes_no_byte_and_no_name(place, run):
    before = bytes_of(run)
    outer = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "3"}
    done = really(place, "--force", "--out", "elsewhere", **outer, OPSLAB_ON_BLOCKING="raise")
    assert done.returncode == 0, done.stderr
    (other,) = place.file("elsewhere").glob("*/*/*")
    assert other.name == run.name
    assert bytes_of(other)["result.json"] == before["result.json"]


@pytest.mark.slow
def test_what_a_notebook_of_one_s_own_opens_or_imports_is_an_input(place):
    """Both change the answer as a cell does, so they must not give the old one."""
    own = "from pathlib import Path\nimport house\nRATE = Path('rate.txt').read_text(encoding='utf-8')\n"
    notebook = place.file("notebooks/experiment_readout.ipynb")
    write_notebook(notebook, "experiment_readout", (f"{EXPERIMENT[0]}\n{own}", *EXPERIMENT[1:]))
    place.file("house.py").write_text("TRUE = True\n", encoding="utf-8")
    place.file("rate.txt").write_text("0.1", encoding="utf-8")
    first = really(place)
    if first.returncode == 2:
        assert "house" in first.stderr
        return
    assert first.returncode == 0, first.stderr
    assert HERE in really(place).stdout
    for name, content in {"rate.txt": "0.2", "house.py": "TRUE = False\n"}.items():
        place.file(name).write_text(content, encoding="utf-8")
        again = really(place)
        assert again.returncode == 2 or HERE not in again.stdout, name
        assert name in again.stdout + again.stderr
