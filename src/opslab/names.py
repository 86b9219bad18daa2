"""Names as people write them: which mean the same, and which name nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_NOBODY = re.compile(
    r"|x|([a-z])\1+|n[an]|tb[acd]|todo|no(body|one|ne)|unknown|undefined|tobe[a-z]+|"
    r"personne|aucune?|neant|inconnue?|a(definir|determiner|confirmer|completer)"
)
"""Letters of what stands where a name should be: none, or one of them over and over, among others.
"""


def folded(name: str) -> str:
    """Return a name without what two writers do differently: case, accents, spaces, punctuation.

    Examples
    --------
    >>> folded("  Chef de  Produit / Été")
    'chef de produit ete'
    """
    parts = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(sign for sign in parts if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", plain)) or plain.strip()


def named(text: str | None, kind: Callable[[str], bool] = str.isalpha) -> bool:
    """Return whether a text names somebody or something, by its characters of a kind.

    Examples
    --------
    >>> named("RH"), named("?"), named("n/a"), named("xx"), named("4417")
    (True, False, False, False, False)
    >>> named("4417", str.isalnum)
    True
    """
    return not _NOBODY.fullmatch("".join(filter(kind, folded(text or ""))))
