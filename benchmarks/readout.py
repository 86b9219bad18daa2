"""A readout by opslab against stock papermill followed by nbconvert, on the same notebook."""

from __future__ import annotations

import tempfile
from pathlib import Path

from timing import BIN, ROOT, in_turn, once

NOTEBOOK = ROOT / "notebooks" / "experiment_readout.ipynb"


def measure(times: int = 5) -> list[tuple[str, str, str, str]]:
    """Return rows: what, target, measured, beside."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = [
            str(BIN / "opslab"),
            "run",
            "experiment_readout",
            "--force",
            "--quiet",
            "--out",
            str(folder / "ours"),
        ]
        made = str(folder / "stock.ipynb")
        execute = [str(BIN / "papermill"), str(NOTEBOOK), made, "--no-progress-bar"]
        convert = [str(BIN / "jupyter"), "nbconvert", "--to", "html", made]

        def stock() -> tuple[float, float, float]:
            first, second = once(execute, ROOT), once(convert, ROOT)
            return first[0] + second[0], first[1] + second[1], max(first[2], second[2])

        opslab, both = in_turn([lambda: once(ours, ROOT), stock], times)
        (page,) = (folder / "ours").glob("*/*/*/readout.html")
        sizes = (page.stat().st_size / 1000, Path(made).with_suffix(".html").stat().st_size / 1000)
    return [
        (
            "readout: run + HTML, wall",
            "<= 0.65 x stock",
            f"{opslab.wall / both.wall:.2f} x",
            f"{opslab.wall:.1f} s against {both.wall:.1f} s",
        ),
        (
            "the same, CPU",
            "",
            f"{opslab.cpu / both.cpu:.2f} x",
            f"{opslab.cpu:.1f} s against {both.cpu:.1f} s",
        ),
        ("readout.html", "<= 250 kB", f"{sizes[0]:.0f} kB", f"nbconvert's {sizes[1]:.0f} kB"),
    ]
