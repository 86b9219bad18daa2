"""What the words of a log's statuses mean, those too that are misspelt."""

from __future__ import annotations

from typing import NamedTuple

from opslab.errors import did_you_mean
from opslab.messages import spoken
from opslab.names import folded
from opslab.operations.decisions.spec import Statuses

_NEAR = 0.83  # Withdrawal is Withdrawn, and Reportée is not Rejetée


class Meaning(NamedTuple):
    """What a status was read as.

    Attributes
    ----------
    status : str
        As it is declared.
    kind : str
        Field of `Statuses` that declares it.
    misspelt : bool
    """

    status: str
    kind: str
    misspelt: bool = False


def meaning(written: str, statuses: Statuses) -> Meaning | None:
    """Return what a status was read as, the nearest one where it is misspelt; None for no status.

    A misspelt word begins as it should: "undecided" is not near to "decided". One with a question
    mark is none that is declared without.

    Examples
    --------
    >>> meaning("Acepted", Statuses())
    Meaning(status='Accepted', kind='decided', misspelt=True)
    >>> [meaning(word, Statuses()) for word in ("Undecided", "Decided?", "April Fool!")]
    [None, None, None]
    """
    known = {
        folded(word): Meaning(name, kind)
        for kind, names in statuses
        for name in names
        for word in (name, spoken(name, "fr"))
    }
    plain = folded(written)
    alike = [word for word in known if word[:1] == plain[:1]]
    if "?" in written and not any("?" in name for _, names in statuses for name in names):
        return None
    near = did_you_mean(plain, alike, _NEAR) or ""
    return known.get(near) and known[near]._replace(misspelt=near != plain)
