"""The columns that are summed, and those that are summed together."""

from __future__ import annotations

from dataclasses import dataclass

_SMALL_WHOLE = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT")
TEXTS = ("VARCHAR", "ENUM")


@dataclass(frozen=True)
class Column:
    """One column to sum: what an empty value means, and whether values must be 0 or 1.

    A ``centred`` one is summed about the first rows' mean in any case, for products with others;
    values above a ``cap`` count as the cap. A column ``scaled_with`` a capped one is cut in
    the same proportion where that one is.
    """

    name: str
    zero_for_missing: bool = False
    binary: bool = False
    centred: bool = False
    cap: float | None = None
    scaled_with: Column | None = None

    def is_whole(self, kind: str) -> bool:
        """Whether the engine sums the squares of cells of a type without any rounding."""
        cut = self.cap is not None or self.scaled_with is not None
        return kind in _SMALL_WHOLE and not self.centred and not cut

    def number(self, cell: str, kind: str) -> str:
        """Return SQL of a cell as a number, empty where it holds none.

        Parameters
        ----------
        cell : str
            SQL of the cell.
        kind : str
            Its type.
        """
        if self.is_whole(kind):
            return f"CAST({cell} AS INTEGER)"
        if kind == "BOOLEAN":
            return f"CAST(CAST({cell} AS INTEGER) AS DOUBLE)"
        if not kind.startswith(TEXTS):
            return f"CAST({cell} AS DOUBLE)"
        bare = f"lower(trim(CAST({cell} AS VARCHAR)))"
        cases = f"WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE TRY_CAST({bare} AS DOUBLE)"
        return f"CASE {bare} {cases} END"


@dataclass(frozen=True)
class Joint:
    """Centred columns to sum together: a metric's own, and its covariates (two of a ratio).

    An empty covariate stands at the mean over all arms, the same value in each of them.
    """

    own: tuple[Column, ...]
    covariates: tuple[tuple[Column, ...], ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All of them, the own ones first."""
        return (*self.own, *self.covariate_columns)

    @property
    def covariate_columns(self) -> tuple[Column, ...]:
        """Those of the covariates."""
        return tuple(column for covariate in self.covariates for column in covariate)
