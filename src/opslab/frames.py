"""Frames for an analyst: read once, capped where they would not fit, in the form asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Literal

from opslab.errors import ParameterError
from opslab.messages import Language, text

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["pandas", "arrow", "polars"]
"""What a frame may be: pandas.DataFrame, pyarrow.Table or polars.DataFrame."""
MOST_CELLS = 40_000_000
"""Of a frame, rows times columns: about 1 GB."""
_MOST_KEPT = 4  # frames
_kept: dict[Hashable, pd.DataFrame] = {}


class Remark(UserWarning):
    """What an analyst has to know of a frame that was made."""


def step_within(rows: int, columns: int) -> int:
    """Return 1 where so many rows fit, else every how many rows one is kept."""
    return max(1, -(-rows * columns // MOST_CELLS))


def remark_step(step: int, rows: int, language: Language = "en") -> None:
    """Warn that only every so many rows are kept, where they are."""
    if step > 1:
        told_at = 3  # the cell of who asked for the frame
        warnings.warn(text("explore.capped", language, step=step, rows=rows), Remark, told_at)


def in_form(given: Any, form: Form) -> Any:
    """Return a frame in the form asked for; raises `ParameterError` for another, or one missing.

    Parameters
    ----------
    given : pandas.DataFrame, list of rows, or Mapping of columns
    form : {"pandas", "arrow", "polars"}
    """
    import pandas as pd

    frame = pd.DataFrame(given)
    try:
        match form:
            case "pandas":
                return frame
            case "arrow":
                import pyarrow as pa  # type: ignore[import-untyped]

                return pa.Table.from_pandas(frame)
            case "polars":
                import polars as pl

                return pl.from_pandas(frame)
    except ImportError as error:
        raise ParameterError.of("explore.not_installed", name=error.name) from None
    raise ParameterError.of("explore.form", given=str(form))


def kept(key: Hashable, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return what was made before for the same key, or make it; the oldest of four gives way."""
    if key not in _kept:
        while len(_kept) >= _MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = make()
    return _kept[key]
