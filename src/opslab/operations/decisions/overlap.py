"""How far two lists of what comes first agree: what they share, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from opslab.errors import InputError


def jaccard(a: Collection[str], b: Collection[str]) -> float:
    """Return the share of all names in two lists that stand in both.

    Parameters
    ----------
    a, b : collection of str
        At least one name each, no name twice.

    Raises
    ------
    InputError
        For an empty list, or a name that stands in one twice.

    Examples
    --------
    >>> jaccard(["checkout", "tracking", "returns"], ["tracking", "loyalty", "checkout"])
    0.5

    Sources
    -------
    Jaccard (1912).
    """
    first, second = _distinct(a), _distinct(b)
    return len(first & second) / len(first | second)


def rank_biased_overlap(a: Sequence[str], b: Sequence[str], p: float = 0.9) -> float:
    """Return how far two ranked lists agree, the first ranks weighing most; 0 to 1.

    What lies beyond the lists is taken to agree as far as they do (extrapolated).

    Parameters
    ----------
    a, b : sequence of str
        What comes first, second …; at least one name each, no name twice, of any two lengths.
    p : float
        Chance of looking one rank further, above 0 and below 1: the smaller, the more the first
        rank decides.

    Raises
    ------
    InputError
        For an empty list, a name that stands in one twice, or such a `p`.

    Examples
    --------
    >>> round(rank_biased_overlap(["checkout", "tracking"], ["tracking", "checkout"], p=0.5), 3)
    0.5
    >>> rank_biased_overlap(["checkout"], ["tracking"])
    0.0

    Sources
    -------
    Webber, Moffat and Zobel (2010), equation 32.
    """
    if not 0 < p < 1:
        raise InputError.of("uncertainty.open_share", given=p)
    _distinct(a), _distinct(b)
    short, long = sorted((a, b), key=len)
    few, many = len(short), len(long)
    shared = [len({*short[:rank]} & {*long[:rank]}) for rank in range(1, many + 1)]
    both = shared[few - 1]
    total = 0.0
    for rank, count in enumerate(shared, 1):
        further = both * (rank - few) / few if rank > few else 0.0
        total += p**rank * (count + further) / rank
    return (1 - p) / p * total + ((shared[-1] - both) / many + both / few) * p**many


def _distinct(names: Collection[str]) -> set[str]:
    if not names:
        raise InputError.of("operations.empty_list")
    twice = sorted(name for name in names if [*names].count(name) > 1)
    if twice:
        raise InputError.of("operations.list_twice", name=twice[0])
    return {*names}
