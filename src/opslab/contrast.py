"""Two results side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opslab.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Contrast:
    """Two results side by side: it shows itself in a cell.

    Attributes
    ----------
    result, other : opslab.results.Result
        Of one kind.
    """

    result: Any
    other: Any

    def __post_init__(self) -> None:
        if type(self.result) is not type(self.other):
            raise ParameterError.of(
                "explore.other_kind",
                kind=type(self.result).__name__,
                other=type(self.other).__name__,
            )

    def frame(self) -> pd.DataFrame:
        """Return a row for each figure: its keys, what it is here and there, and the change."""
        keys = list(self.result.room("record").KEYS)
        frames: list[pd.DataFrame] = [
            result.frame()
            .set_index(keys)
            .select_dtypes("number")
            .melt(ignore_index=False, var_name="figure")
            .reset_index()
            for result in (self.result, self.other)
        ]
        both = frames[0].merge(frames[1], "outer", [*keys, "figure"], suffixes=("", "_other"))
        return both.assign(change=both["value_other"] - both["value"])

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        voice = self.result.voice()
        bundle: tuple[dict[str, Any], dict[str, Any]] = voice.bundle(*voice.contrast(self))
        return bundle
