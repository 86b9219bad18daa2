"""The sample data of the area: a case in two versions, the files behind it, copies of the runs it cites."""

from __future__ import annotations

from pathlib import Path

from opslab import workspace

PATTERNS = ("product_ops*", "runs/**/*.json")


def write(folder: Path) -> list[Path]:
    """Write the sample files into a folder, as the package brings them; returns what was written."""
    brought = workspace.bundled("data/sample")
    names = sorted(
        path.relative_to(brought).as_posix() for pattern in PATTERNS for path in brought.glob(pattern)
    )
    for name in names:
        content = (brought / name).read_bytes()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return [folder / name for name in names]
