"""The sample data of the area: an inventory written by hand, and what it truly holds."""

from __future__ import annotations

from pathlib import Path

from opslab import workspace

FILES = (
    "product_desk.csv", "product_desk.yaml", "product_desk_measured.csv", "product_desk_past.csv",
    "product_desk_truth.json",
)  # fmt: skip


def write(folder: Path) -> list[Path]:
    """Write the sample files into a folder, as the package brings them; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        content = workspace.bundled(f"data/sample/{name}").read_bytes()
        (folder / name).write_bytes(content)
    return [folder / name for name in FILES]
