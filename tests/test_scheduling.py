"""The files that schedulers are given: they parse, and name what there is."""

from __future__ import annotations

import ast
import configparser
import re
import shlex
import sys
import types

import click
import pytest
import yaml

from conftest import ROOT
from opslab.cli import main
from opslab.errors import ON_BLOCKING, BlockingCheckError
from opslab.runs.batch_plan import Plan, planned_runs
from opslab.runs.own_notebooks import find

PAGE = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
FILES = {path.name: path for path in (ROOT / "docs" / "scheduling").iterdir()}
COMMAND = re.compile(r"(?:^|[ /(])opslab ([^|)>`]+)")


def text(name):
    return FILES[name].read_text(encoding="utf-8")


def understood(line):
    """Return the first command of opslab in a line, its options read as the program reads them."""
    words = shlex.split(COMMAND.search(line.split(" 2>")[0])[1])
    return main.commands[words[0]].make_context(words[0], words[1:])


def test_each_file_is_shown_and_each_that_is_shown_is_there():
    assert set(re.findall(r"\(scheduling/([\w.]+)\)", PAGE)) == set(FILES)


def test_what_is_no_option_is_not_understood():
    with pytest.raises(click.NoSuchOption):
        understood("cd x && said=$(.venv/bin/opslab batch plan.yaml --quite 2>&1) || echo")


def test_cron():
    lines = [line for line in text("crontab").splitlines() if line and line[0] not in "#M"]
    assert [understood(line).info_name for line in lines] == ["batch", "run"]
    for line in lines:
        assert re.match(r"([\d*,-]+ +){5}cd ", line)
        assert "%" not in line  # a line break to cron
        assert understood(line).params["quiet"]
        assert line.endswith('2>&1) || echo "$said"')


def test_systemd():
    units = configparser.ConfigParser(strict=False)
    units.optionxform = str
    units.read([FILES["opslab.service"], FILES["opslab.timer"]])
    assert understood(units["Service"]["ExecStart"]).info_name == "batch"
    assert "SuccessExitStatus" not in units["Service"]  # red is red
    assert units["Timer"]["OnCalendar"]
    assert units["Install"]["WantedBy"] == "timers.target"


def test_github():
    steps = yaml.safe_load(text("readouts.yml"))["jobs"]["readouts"]["steps"]
    run = {step["name"]: step["run"] for step in steps if "run" in step}
    assert understood(run["Run"]).params["out"] == "reports"
    for file in re.findall(r"-r (\S+)", run["Install"]):
        assert (ROOT / file).is_file()
    (summary,) = (step for step in steps if step.get("name") == "Summary")
    assert summary["if"] == "always()"


def test_the_plan():
    plan = Plan.load(FILES["plan.yaml"], "plan.yaml")
    assert list(planned_runs(plan)) == ["checkout", "search ranking"]


class Task:
    """An operator of Airflow that only keeps what it is given."""

    def __init__(self, **given):
        self.given, self.before = given, []
        Task.all.append(self)

    def __rshift__(self, other):
        other.before.append(self)


class Dag:
    def __init__(self, **given):
        self.given = given

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_airflow(monkeypatch):
    names = {
        "airflow.sdk": {"DAG": Dag},
        "airflow.providers.papermill.operators.papermill": {"PapermillOperator": Task},
        "airflow.providers.standard.operators.bash": {"BashOperator": Task},
    }
    for name, values in names.items():
        module = types.ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(Task, "all", [], raising=False)
    exec(compile(text("dag.py"), "dag.py", "exec"), {"__name__": "dag"})
    readouts, filed = Task.all[::2], Task.all[1::2]
    assert [last.before for last in filed] == [[readout] for readout in readouts]
    parameters = find("experiment_readout").parameters()
    for readout, last in zip(readouts, filed, strict=True):
        notebook = readout.given["input_nb"].removeprefix("/srv/readouts/")
        assert (ROOT / notebook).is_file()
        parameters.of(**readout.given["parameters"]).stands_on()
        assert readout.given["kernel_name"] == "opslab"
        command = understood(last.given["bash_command"])
        assert str(command.params["executed"]) == readout.given["output_nb"]
        assert last.given["trigger_rule"] == "all_done"  # a red one is filed too


def test_the_page():
    assert f"`{ON_BLOCKING}=raise`" in PAGE
    assert f"--env {ON_BLOCKING} raise" in PAGE
    assert f"`{BlockingCheckError.__name__}`" in PAGE
    commands = set(re.findall(r"`?opslab ([a-z]+)[ `]", PAGE))
    assert {"batch", "run", "render"} <= commands & set(main.commands)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        ast.parse(block)
