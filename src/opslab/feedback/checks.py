"""The checks of themes: how far they can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from opslab.feedback.audit import PROMISED, Audit
from opslab.feedback.letters import furniture
from opslab.feedback.result import Assignment, Theme
from opslab.feedback.spec import Study
from opslab.results import Check, Message, Status

COVERED = 0.5
"""Least share of the messages that stand in a theme."""
STABLE, UNSTABLE = 0.6, 0.4
"""Stability that is good, and that is too low."""
LEAK = 0.1
"""Most information that themes share with the language."""
FURNISHED, CLUTTERED = 0.05, 0.3
"""Share of the messages with words of mail around the matter: from where it warns, and fails."""
DIFFERENT = 0.1
"""Share of the messages that say something of their own, below which they may be no messages."""
PRECISE = 0.6
"""Share of judged messages in the right theme that the interval must reach."""
LARGEST = 0.4
"""Share of the sorted messages from which a theme may hide several."""

_READ = 20_000  # texts
_COMPARED = 20  # messages of a language or source that are enough to compare


def panel(
    study: Study,
    assignments: Sequence[Assignment],
    themes: Sequence[Theme],
    audit: Audit | None,
    *,
    fallback: bool,
    known: frozenset[str] | None = None,
    apart: bool = False,
) -> tuple[Check, ...]:
    """Return the checks: what each measured, and whether its failure takes the themes' word away.

    Parameters
    ----------
    study : Study
    assignments : sequence of Assignment
    themes : sequence of Theme
        The largest first.
    audit : Audit or None
    fallback : bool
        Whether word counts stand in for the encoder.
    known : frozenset of str, optional
        Languages that the encoder knows.
    apart : bool
        Whether vectors do not compare with those of the run before.
    """
    checks = [_check("encoder", "warn", None, "fallback")] * fallback
    checks += [_check("identity", "warn", None, "members")] * apart
    if themes:
        checks += _of_themes(themes, assignments)
        checks += _of_messages(study, assignments, known)
        checks.append(_of_audit(audit))
    else:
        checks.append(_check("coverage", "warn", None, "none", messages=len(assignments)))
    return tuple(replace(check, blocking=check.name in study.blocking) for check in checks)


def _check(
    name: str, status: Status, value: float | None, words: str = "", /, **values: Any
) -> Check:
    """Return a check whose detail is ``<name>_<words>`` in the catalogue, by default its status."""
    return Check(name, status, Message(f"feedback.{name}_{words or status}", values), value)


def _of_themes(themes: Sequence[Theme], assignments: Sequence[Assignment]) -> Iterator[Check]:
    inside = [each for each in assignments if each.themes]
    silent = {"praise", "no_words", "excluded"}  # they say nothing that a theme could hold
    share = len(inside) / sum(each.main.reason not in silent for each in assignments)
    yield _check(
        "coverage", "pass" if share >= COVERED else "fail", share, share=share, least=COVERED
    )
    known = [(theme.stability, theme.messages) for theme in themes if theme.stability is not None]
    if known:
        share = sum(share * count for share, count in known) / sum(count for _, count in known)
        yield _check(
            "stability",
            "pass" if share >= STABLE else "warn" if share >= UNSTABLE else "fail",
            share,
            share=share,
        )
    different = [each for each in inside if not each.copy_of]
    pairs = [(each.message, theme) for each in different for theme in sorted(each.themes)]
    leak, apart, writers = (
        shared_information([(getattr(message, trait), theme) for message, theme in pairs])
        for trait in ("language", "source", "customer")
    )
    if leak is not None:
        yield _check("leakage", "pass" if leak <= LEAK else "fail", leak, value=leak, most=LEAK)
    if apart is not None:
        yield _check("sources", "pass", apart, "far" if apart > LEAK else "near", value=apart)
    if writers is not None:
        yield _check("writers", "pass" if writers <= LEAK else "warn", writers, value=writers)
    share = themes[0].messages / len(inside)
    huge = share > LARGEST < 1 - 1 / len(themes)
    title = themes[0].title
    yield _check("sizes", "warn" if huge else "pass", share, theme=title, share=share)


def _of_messages(
    study: Study, assignments: Sequence[Assignment], known: frozenset[str] | None
) -> Iterator[Check]:
    """Yield how much mail is around the matter, and which languages there are.

    A warning where many of these are strange to encoder or study.
    """
    different = [each.message.words for each in assignments if not each.copy_of]
    if len(different) < DIFFERENT * len(assignments):
        yield _check("furniture", "warn", 1.0, "copies", count=len(different))
    else:
        share = furniture(different[:_READ])  # in an order that no text's meaning plays a part in
        status: Status = "pass" if share < FURNISHED else "warn" if share < CLUTTERED else "fail"
        yield _check("furniture", status, share, share=share)
    spoken = Counter(each.message.language or "" for each in assignments)
    unknown = spoken.pop("", 0)
    strange = set() if known is None else spoken.keys() - known
    outside = strange or spoken.keys() - set(study.languages)
    count = sum(spoken[language] for language in outside)
    share = count / len(assignments)
    yield _check(
        "languages",
        "warn" if share > LEAK / 2 or not spoken else "pass",
        share,
        "strange" if strange else "others" if outside else "all" if spoken else "none",
        count=count,
        languages=sorted(outside or spoken),
        unknown=unknown / len(assignments),
    )


def _of_audit(audit: Audit | None) -> Check:
    if audit is None or not audit.judged:
        return _check("audit", "warn", None, "none", most=PROMISED)
    low, high = audit.interval
    return _check(
        "audit",
        "fail" if high < PRECISE else "pass" if audit.judged >= PROMISED else "warn",
        audit.right / audit.judged,
        most=PROMISED,
        judged=audit.judged,
        right=audit.right,
        low=low,
        high=high,
    )


def shared_information(
    pairs: Sequence[tuple[str | None, str]], least: int = _COMPARED
) -> float | None:
    """Return the adjusted mutual information of a trait and a theme.

    It is Vinh, Epps & Bailey's (2010), over the arithmetic mean of both entropies. Traits of fewer
    than `least` messages are left out, and None; None where a single one or a single theme is left.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    counts = Counter(trait for trait, _ in pairs)
    often = [pair for pair in pairs if pair[0] and counts[pair[0]] >= least]
    traits, themes = [trait for trait, _ in often], [theme for _, theme in often]
    if min(len(set(traits)), len(set(themes))) < 2:  # noqa: PLR2004 - one alone tells nothing
        return None
    return float(adjusted_mutual_info_score(traits, themes))
