"""Two results side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        Of one kind; the other one speaks the language of the first.

    Raises
    ------
    ParameterError
        When they are of two kinds or two currencies, or two rows of one bear the same names.
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
        # Rows are named in the result's language.
        object.__setattr__(self, "other", replace(self.other, language=self.result.language))
        currency = getattr(self.result.room("record"), "currency", lambda _: None)
        here, there = currency(self.result), currency(self.other)
        if here != there:
            raise ParameterError.of("explore.other_currency", currency=here, other=there)

    def frame(self) -> pd.DataFrame:
        """Return a row for each figure: its keys, what it is here and there, and the change."""
        import pandas as pd

        keys, both = list(self.result.room("record").KEYS), {}
        for name, result in (("this", self.result), ("other", self.other)):
            table = result.frame()
            if twice := table.loc[table.duplicated(keys), keys].fillna("").to_numpy().tolist():
                raise ParameterError.of("explore.twice", rows=[*map(", ".join, twice)])
            numbers = table.set_index(keys).select_dtypes("number")
            amount = "its amount"  # no column is called so, some are called value
            figures = numbers.melt(ignore_index=False, var_name="figure", value_name=amount)
            both[name] = figures.set_index("figure", append=True)[amount]
        frame: pd.DataFrame = pd.concat(both, axis=1).reset_index()
        return frame.assign(change=frame["other"] - frame["this"])

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        voice = self.result.voice()
        bundle: tuple[dict[str, Any], dict[str, Any]] = voice.bundle(*voice.contrast(self))
        return bundle
