"""Names as people write them: which mean the same, and which name nobody."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_NOBODY = re.compile(
    r"|x|([a-z])\1+|n[an]|tb[acd]|todo|un(known|defined|assigned)|to(be[a-z]+|hire)|vacan(t|te|cy)|"
    r"(no(body|one|ne|n|t)?|pas)(yet|encore)?(assigned|attribuee?|known)?|pending|(coming)?soon|"
    r"personne|aucune?(preuve)?|neant|inconnue?|bientot|enattente|"
    r"a(definir|determiner|confirmer|completer|recruter|nommer|venir|faire)"
)
"""Letters of what stands where a name should be: none, or one of them over and over, among others.
"""
_NOT_YET = re.compile(
    r"(not|non|none|pending|coming|soon|tb[acd]|todo|aucune?|pas|a (venir|faire)|prevu|en cours)\b"
)
_OPENS = re.compile(
    r"""(?x)https?://\w|\bwww\.[\w-]+\.\w|
    ^(?=\S+[/\\])(?!(yes|no|oui|non|ok|go|vu|fait|done)[/\\])
    \S*[^\W\d_]{2}\S*[/\\]\S*[^\W\d_]{2}\S*$|
    \w\.(pdf|docx?|xls[xmb]?|pptx?|od[pst]|csv|md|txt|html?|png|jpe?g|gif|svg|msg|eml|zip|json|
    ya?ml|ipynb|log|sql|py|parquet|mp4|mov|vsdx?|fig|pages|numbers|key)\b|
    \b(?!(janv?(ier|uary)?|f[eé]vr?(ier)?|feb(ruary)?|mar(s|ch)?|apr(il)?|avr(il)?|ma[iy]|juin|
    june?|juil(let)?|july?|aug(ust)?|ao[uû]t|sept?(embre|ember)?|oct(obre|ober)?|
    nov(embre|ember)?|d[eé]c(embre|ember)?|mid?|end|fin|d[eé]but|early|late|week|semaine|day|jour)
    \b)[^\W\d_]{2,}\d*(-|[ ]?\#)\d+\b|
    \b\d{4}-\d\d-\d\d-[0-9a-f]{8}\b"""
)
"""Of a text in lower case: an address, path, file name, reference (no month), a run's folder."""


def folded(name: str) -> str:
    """Return a name without what two writers do differently: case, accents, spaces, punctuation.

    Examples
    --------
    >>> folded("  Chef de  Produit / Été")
    'chef de produit ete'
    """
    text = plain(name)
    return " ".join(re.findall(r"[^\W_]+", text)) or text


def plain(name: str) -> str:
    """Return a name without case, accents and doubled spaces; its signs tell it from others.

    Examples
    --------
    >>> plain(" Équipe  C++ ")
    'equipe c++'
    """
    parts = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(sign for sign in parts if not unicodedata.combining(sign)).split())


def usual(texts: Iterable[str]) -> dict[str, str]:
    """Return each name as most people write it, by the name folded.

    Examples
    --------
    >>> usual(["Shop", "shop", "Shop", "SHOP "])
    {'shop': 'Shop'}
    """
    counts = Counter(texts)
    order = sorted(counts, key=lambda text: (-counts[text], text))
    return {folded(text): text for text in reversed(order)}


def singular(name: str) -> str:
    """Return a name folded, each word without what a plural adds: equal for one thing twice named.

    For comparing, not for reading: English and French plurals, and a thousands' space in a number.

    Examples
    --------
    >>> singular("Product Managers"), singular("Agencies") == singular("agency"), singular("6 210")
    ('product manager', True, '6210')
    """
    plain = re.sub(r"(?<=\w\w)[sx]\b", "", re.sub(r"ies?\b", "y", folded(name)))
    return re.sub(r"\b(\d{1,3}) (?=\d{3}\b)", r"\1", plain)


def names_somebody(text: str | None) -> bool:
    """Return whether a text is a name that can be called: letters, and no stopgap.

    Examples
    --------
    >>> names_somebody("RH"), names_somebody("?"), names_somebody("n/a"), names_somebody("4417")
    (True, False, False, False)
    """
    return not _NOBODY.fullmatch("".join(filter(str.isalpha, folded(text or ""))))


def named(text: str | None) -> bool:
    """Return whether a text names something: a source, a budget line.

    Examples
    --------
    >>> named("invoices"), named("4417"), named("?"), named("n/a"), named(None)
    (True, True, False, False, False)
    """
    return names_somebody(text) or any(map(str.isdigit, text or ""))


def leads_somewhere(text: str | None) -> bool:
    """Return whether a text is something to open: a link, a path, a reference, a document's name.

    A digit or a slash alone is none: "ok 2", "12/10", "yes/no".

    Examples
    --------
    >>> leads_somewhere("https://example.test"), leads_somewhere("doc-1"), leads_somewhere("a.pdf")
    (True, True, True)
    >>> leads_somewhere("seen"), leads_somewhere("pending 12/10"), leads_somewhere("n/a")
    (False, False, False)
    """
    given = text or ""
    opens = _OPENS.search(given.casefold())
    return bool(opens) and named(given) and ("://" in given or not _NOT_YET.match(folded(given)))
