"""How long a user waits for help and for a refusal."""

from __future__ import annotations

from timing import BIN, ROOT, in_turn, once


def measure(times: int = 9) -> list[tuple[str, str, str, str]]:
    """Return rows: what, target, measured, beside."""
    opslab, stock = str(BIN / "opslab"), str(BIN / "papermill")
    refused = [opslab, "run", "experiment_readout", "-p", "spek=x", "-p", "language=de"]
    commands = [[opslab, "--help"], [stock, "--help"], refused, [str(BIN / "python"), "-c", "pass"]]
    help_, papermill, refusal, python = in_turn(
        [lambda command=command: once(command, ROOT) for command in commands], times
    )
    return [
        (
            "`opslab --help`",
            "<= 0.15 s",
            f"{help_.wall:.2f} s",
            f"papermill --help {papermill.wall:.2f} s",
        ),
        (
            "refused parameters",
            "<= 0.3 s",
            f"{refusal.wall:.2f} s",
            f"an empty Python {python.wall:.2f} s",
        ),
    ]
