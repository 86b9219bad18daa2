"""Text from outside is shown as text: through every field of a spec and a table to every output."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from conftest import make_workspace
from opslab.messages import one_line

PAYLOADS = [
    "<script>document.title='ran'</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><script>alert(2)</script>",
    "<svg/onload=alert(3)><a href='javascript:alert(4)'>x</a>",
    "{{7*7}} {x.__class__} {0} %s ${HOME} $(touch pwned) `touch pwned`",
    '=HYPERLINK("http://127.0.0.1/x","click")',
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eright to left\u2066",
    "'; DROP TABLE source; --",
    "\"; COPY (SELECT 1) TO 'pwned'; --",
    "../../pwned",
    "$x^2$ \\frac{1}{2}",
    "<!-- --> ]]> &lt;b&gt; &amp;",
    "é" * 90,
]


class Page(HTMLParser):
    """Tags and attributes of a page as a browser would find them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def field(place: int) -> str:
    """Return a payload that differs for each place, so that it can be found again."""
    return f"{PAYLOADS[place % len(PAYLOADS)]}~{place}"


def write_experiment(folder: Path, turn: int) -> Path:
    """Write a spec and its table with hostile text in every field, turned by `turn` places."""
    names = [field(turn + place) for place in range(8)]
    unit, arm, column, control, treated, metric, experiment, question = names
    data = folder / 'we\'ird "name" [x]*{y} $(touch pwned).csv'
    with data.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([unit, arm, column])
        writer.writerows([f"u{row}", (control, treated)[row % 2], row % 7] for row in range(400))
    spec = {
        "experiment": experiment,
        "question": question,
        "owner": field(turn + 8),
        "data": {"path": data.name},
        "unit": unit,
        "arms": {"column": arm, "control": control, "weights": {control: 1, treated: 1}},
        "metrics": [
            {
                "name": metric,
                "type": "mean",
                "column": column,
                "role": "primary",
                "goal": "increase",
            }
        ],
    }
    path = folder / "spec {z} 'q'.yaml"
    path.write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    return path


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(0, len(PAYLOADS), 5))
def test_nothing_runs_and_no_file_appears(tmp_path, turn):
    folder = make_workspace(tmp_path / "work {space}")
    spec = write_experiment(folder, turn)
    before = files_in(tmp_path)
    out = "re{x.__class__}ports"
    command = [
        sys.executable,
        "-m",
        "opslab.cli",
        "run",
        "experiment_readout",
        "--out",
        out,
        "-p",
        f"spec={spec.name}",
        "-p",
        "as_of=2026-09-28",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "OPSLAB_WORKSPACE"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout.replace("\x1b[2K", "")
    made = {Path(name) for name in files_in(tmp_path) - before}
    assert {path.parts[:3] for path in made} == {
        ("work {space}", out, "experiment_readout"),
        ("work {space}", out, "index.html"),
        ("work {space}", out, "catalogue.csv"),
        ("work {space}", out, "catalogue.json"),
    }
    (readout,) = (path for path in made if path.name == "readout.html")
    for path in (readout, Path("work {space}") / out / "index.html"):
        page = Page((tmp_path / path).read_text(encoding="utf-8"))
        assert not {"script", "iframe", "svg", "object", "embed", "form", "base"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert not [
            value for _, value in page.attributes if (value or "").lower().startswith("javascript")
        ]
        assert not [
            value
            for name, value in page.attributes
            if name == "src" and not value.startswith("data:image/")
        ]
        assert not {"\x1b", "\x07", "\u202e", "\u2066"} & set("".join(page.text))
    shown = "".join(Page((tmp_path / readout).read_text(encoding="utf-8")).text)
    assert one_line(field(turn + 5)) in shown, "the words themselves are still there to read"
    record = json.loads((tmp_path / readout.with_name("result.json")).read_text(encoding="utf-8"))
    assert record["comparisons"][0]["metric"] == field(turn + 5), (
        "the record holds the words as they are"
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_parameter_names_and_values_are_never_code(tmp_path, payload, monkeypatch):
    from click.testing import CliRunner

    from opslab.cli import main

    monkeypatch.chdir(make_workspace(tmp_path / "workspace"))
    before = files_in(tmp_path)
    for assignment in (
        f"{payload}=1",
        f"spec={payload}",
        f"language={payload}",
        f"as_of={payload}",
    ):
        done = CliRunner().invoke(main, ["run", "experiment_readout", "-p", assignment])
        assert done.exit_code == 2, done.output
        assert not {"\x1b", "\x07", "\u202e"} & set(done.output)
        assert "Traceback" not in done.output
    assert files_in(tmp_path) == before
