"""What a claim counts: hours of an inventory's task, a metric of a study, a budget line, a text.

What decides is what is counted. A text in one's own words can say that two things are the same,
and never that they are not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from opslab.names import folded, named, singular

_LISTS = {"hours": "hours", "metric": "metric", "theme": "metric", "budget": "budget"}
_DEFINED = re.compile(r"/defined-[0-9a-f]{8}$")
"""How a claim says by which definition it is counted; what is counted is the same by any."""
_LINE = re.compile(r"\b(budget|line|ligne|account|compte)\b")


class Counted(NamedTuple):
    """A thing that a line counts.

    Attributes
    ----------
    thing : str
        ``hours``, ``metric``, ``budget``, ``quantity``; ``text``: in one's own words;
        ``statement``, ``range``: what a stated quantity says.
    name : frozenset of (int, str)
        Words as they are compared, with their level: of hours the role at 0, the task at 1 unless
        it is all of them. What has some of another's words holds it.
    of : str
        The inventory or study; of a range on documents, its budget line's number. Empty where there
        is none, or nobody says.
    written : str
        It, as a spec has it.
    listed : bool
        Whether it comes from a list, so that another one is another thing.
    """

    thing: str
    name: frozenset[tuple[int, str]]
    of: str = ""
    written: str = ""
    listed: bool = False

    def holds(self, other: Counted) -> bool:
        """Return whether it counts all that another one does, whatever list either comes from."""
        return self.thing == other.thing and self.name <= other.name


def counted(claim: str, of: str = "") -> Counted:
    """Return what a claim counts, as evidence writes it: ``hours:role/task``, ``metric:name``.

    The same thing by another definition, which `defined` adds, counts the same.

    Examples
    --------
    >>> sorted(counted("hours:Chefs de produit/Trier", "desk").name)
    [(0, 'chef de produit'), (1, 'trier')]
    """
    claim = _DEFINED.sub("", claim)
    written, _, what = claim.partition(":")
    thing = _LISTS.get(folded(written), "text") if what else "text"
    what, hours = (claim if thing == "text" else what).strip(), thing == "hours"
    parts = budget_words(what) if thing == "budget" else what.split("/") if hours else [what]
    words = ((level * hours, singular(part)) for level, part in enumerate(parts))
    listed = named(what) and (thing == "budget" or named(of))
    shown = f"{thing}: {what}" + (f", of: {of}" if of else "")
    return Counted(thing, frozenset(word for word in words if word[1]), singular(of), shown, listed)


def defined(claim: str, definition: Mapping[str, Any]) -> str:
    """Return a claim with the definition by which it is counted, so that others are told apart.

    Examples
    --------
    >>> defined("decisions:log/evidence", {"least_grade": "C"})
    'decisions:log/evidence/defined-66c3a26c'
    """
    written = json.dumps(definition, sort_keys=True, ensure_ascii=False)
    return f"{claim}/defined-{hashlib.sha256(written.encode()).hexdigest()[:8]}"


def budget_words(budget: str) -> list[str]:
    """Return the words and numbers of a budget line, but for what it is called."""
    return _LINE.sub("", singular(budget)).split() or [singular(budget)]
