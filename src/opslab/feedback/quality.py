"""The quality panel: lights that say how far the themes can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from opslab.feedback.audit import PROMISED, Audit
from opslab.feedback.intake import Message
from opslab.feedback.result import Check, Place, Status, Theme

HALF, STABLE, UNSTABLE = 0.5, 0.6, 0.4
LEAK = 0.1
"""Adjusted mutual information of themes and languages from which themes follow the language."""

_LARGEST, _OVERWHELMING = 0.4, 0.8
_SPOKEN, _SOURCED = 20, 20  # messages of a language, and of a source, that are compared


def shared_information(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Return the adjusted mutual information of two labellings (Vinh, Epps & Bailey 2010); None for one value."""
    from sklearn.metrics import adjusted_mutual_info_score

    if len(set(one)) < 2 or len(set(other)) < 2:  # noqa: PLR2004 - a label alone tells nothing
        return None
    return float(adjusted_mutual_info_score(one, other))


def panel(
    messages: Sequence[Message],
    places: Sequence[Place],
    themes: Sequence[Theme],
    audit: Audit | None,
    expected: Sequence[str],
    fallback: bool,
    blocking: Sequence[str],
) -> tuple[Check, ...]:
    """Return the lights: what each measured, and whether its failure stops a scheduled run."""

    def check(name: str, status: Status, value: float | None, said: str, /, **values: Any) -> Check:
        return Check(name, status, value, name in blocking, (f"feedback.{name}_{said}", values))

    if not themes:
        return (check("coverage", "warn", None, "none", messages=len(messages)),)
    sorted_ = [(message, place.theme) for message, place in zip(messages, places, strict=True) if place.theme]
    kept = len(sorted_) / len(messages)
    status: Status = "pass" if kept >= HALF else "fail"
    found = [check("coverage", status, kept, status, share=kept, least=HALF)]
    stable = sum(theme.stability * theme.messages for theme in themes) / sum(theme.messages for theme in themes)
    status = "pass" if stable >= STABLE else "warn" if stable >= UNSTABLE else "fail"
    found.append(check("stability", status, stable, status, share=stable))
    leak = _across([(message.language or "", theme) for message, theme in sorted_], _SPOKEN)
    if leak is not None:
        status = "pass" if leak <= LEAK else "fail"
        found.append(check("leakage", status, leak, status, value=leak, most=LEAK))
    apart = _across([(message.source, theme) for message, theme in sorted_], _SOURCED)
    if apart is not None:
        found.append(check("sources", "pass", apart, "far" if apart > LEAK else "near", value=apart))
    largest = max(themes, key=lambda theme: theme.messages)
    part = largest.messages / len(sorted_)
    status = "pass" if part <= _LARGEST or len(themes) <= 2 else "warn" if part <= _OVERWHELMING else "fail"  # noqa: PLR2004
    found.append(check("sizes", status, part, status, theme=largest.title, share=part))
    others = Counter(message.language for message in messages if message.language not in (*expected, None))
    if others:
        values: Mapping[str, Any] = {"count": others.total(), "languages": sorted(map(str, others))}
        status = "warn" if others.total() > len(messages) / 20 else "pass"
        found.append(check("languages", status, others.total() / len(messages), "others", **values))
    if fallback:
        found.append(check("encoder", "warn", None, "fallback"))
    if audit is None or not audit.judged:
        found.append(check("audit", "warn", None, "none", most=PROMISED))
    else:
        low, high = audit.interval
        values = {"judged": audit.judged, "right": audit.right, "low": low, "high": high, "most": PROMISED}
        enough = audit.judged >= PROMISED
        found.append(
            check("audit", "pass" if enough else "warn", audit.right / audit.judged, "done" if enough else "some", **values)
        )
    return tuple(found)


def _across(pairs: Sequence[tuple[str, str | None]], least: int) -> float | None:
    """Return how much a theme tells of a trait, over the values of it that occur often enough."""
    counts = Counter(trait for trait, _ in pairs)
    often = [(trait, str(theme)) for trait, theme in pairs if counts[trait] >= least]
    return shared_information([trait for trait, _ in often], [theme for _, theme in often])
