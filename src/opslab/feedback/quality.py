"""The quality panel: lights that say how far the themes can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from opslab.feedback.audit import PROMISED, Audit
from opslab.feedback.intake import Message
from opslab.feedback.result import Check, Place, Status, Theme
from opslab.feedback.spec import Study

LEAST, STABLE, UNSTABLE, LEAK, LARGEST = 0.5, 0.6, 0.4, 0.1, 0.4
"""Coverage; stability, good and too low; shared information with the language; the largest theme's share."""

_COMPARED = 20  # messages of a language or source that are enough to compare


def panel(
    study: Study,
    messages: Sequence[Message],
    places: Sequence[Place],
    themes: Sequence[Theme],
    audit: Audit | None,
    fallback: bool,
) -> tuple[Check, ...]:
    """Return the lights: what each measured, and whether its failure stops a scheduled run."""
    found: list[Check] = []

    def light(
        name: str, status: Status, value: float | None, said: str = "", /, **values: Any
    ) -> None:
        key = f"feedback.{name}_{said or status}"
        found.append(Check(name, status, value, name in study.blocking, key, values))

    if fallback:
        light("encoder", "warn", None, "fallback")
    if not themes:
        light("coverage", "warn", None, "none", messages=len(messages))
        return tuple(found)
    inside = [
        (message, place.theme)
        for message, place in zip(messages, places, strict=True)
        if place.theme
    ]
    kept = len(inside) / len(messages)
    light("coverage", "pass" if kept >= LEAST else "fail", kept, share=kept, least=LEAST)
    known = [(theme.stability, theme.messages) for theme in themes if theme.stability is not None]
    if known:
        stable = sum(share * count for share, count in known) / sum(count for _, count in known)
        status: Status = "pass" if stable >= STABLE else "warn" if stable >= UNSTABLE else "fail"
        light("stability", status, stable, share=stable)
    leak = shared_information([(message.language or "", str(theme)) for message, theme in inside])
    if leak is not None:
        light("leakage", "pass" if leak <= LEAK else "fail", leak, value=leak, most=LEAK)
    apart = shared_information([(message.source, str(theme)) for message, theme in inside])
    if apart is not None:
        light("sources", "pass", apart, "far" if apart > LEAK else "near", value=apart)
    part = themes[0].messages / len(inside)
    light(
        "sizes",
        "warn" if part > LARGEST < 1 - 1 / len(themes) else "pass",
        part,
        theme=themes[0].title,
        share=part,
    )
    others = Counter(
        message.language for message in messages if message.language not in (*study.languages, None)
    )
    if others:
        share, names = others.total() / len(messages), sorted(map(str, others))
        light(
            "languages",
            "warn" if share > LEAK / 2 else "pass",
            share,
            "others",
            count=others.total(),
            languages=names,
        )
    if audit is None or not audit.judged:
        light("audit", "warn", None, "none", most=PROMISED)
    else:
        told = {
            "judged": audit.judged,
            "right": audit.right,
            "low": audit.interval[0],
            "high": audit.interval[1],
        }
        enough = audit.judged >= PROMISED
        light(
            "audit", "pass" if enough else "warn", audit.right / audit.judged, most=PROMISED, **told
        )
    return tuple(found)


def shared_information(pairs: Sequence[tuple[str, str]], least: int = _COMPARED) -> float | None:
    """Return the adjusted mutual information of a trait and a theme (Vinh, Epps & Bailey 2010, arithmetic).

    Traits of fewer than `least` messages are left out; None where a single one or a single theme is
    left.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    counts = Counter(trait for trait, _ in pairs)
    often = [pair for pair in pairs if counts[pair[0]] >= least]
    traits, themes = [trait for trait, _ in often], [theme for _, theme in often]
    if min(len(set(traits)), len(set(themes))) < 2:  # noqa: PLR2004 - one alone tells nothing
        return None
    return float(adjusted_mutual_info_score(traits, themes))
