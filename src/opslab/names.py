"""Names as people write them: which mean the same, and which name nobody."""

from __future__ import annotations

import re
import unicodedata

_NOBODY = re.compile(
    "n[an]|tb[acd]|todo|nobody|noone|none|someone|unknown|undefined|tobe[a-z]+|tocome|"
    "personne|aucune?|neant|inconnue?|a(definir|determiner|confirmer|completer|venir)"
)


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


def names_somebody(name: str | None) -> bool:
    """Return whether a name is one that can be called: two letters, and no stopgap.

    Examples
    --------
    >>> names_somebody("RH"), names_somebody("?"), names_somebody("n/a"), names_somebody("xx")
    (True, False, False, False)
    """
    letters = "".join(sign for sign in folded(name or "") if sign.isalpha())
    return len(set(letters)) > 1 and not _NOBODY.fullmatch(letters)
