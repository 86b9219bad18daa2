"""The voice of a review: first screens that say what a spec is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from opslab.messages import Language
from opslab.report.blocks import Fact, Facts, Verdict
from opslab.report.figures import Figure
from opslab.report.voice import Blocks
from opslab.report.voice import Voice as AnyVoice
from opslab.results import Result

__all__ = ["Blocks", "Voice", "no_figures"]


class Voice(AnyVoice):
    """The words of one area in one language."""

    @classmethod
    def of(cls, area: str) -> Callable[[Result, Language], Self]:
        """Return what gives the voice of an area: an area's ``presentation.voice``."""
        return lambda _, language: cls(language, area)

    def verdict(self, spec: Any, facts: Sequence[Fact] = (), **parts: Any) -> Verdict:
        """Return the first screen of what a spec is about; `parts` as of `Verdict`."""
        title, question = self.spoken(spec.shown_title), self.spoken(spec.question or "")
        return Verdict(title=title, question=question, facts=Facts(facts), **parts)


def no_figures(_: Result, __: Voice) -> dict[str, Figure]:
    """Return none: of a result whose numbers are best read as numbers."""
    return {}
