"""Customer feedback: exports in, themes over all languages out, with how sure they are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opslab.feedback.analysis import find_themes
    from opslab.feedback.parameters import ThemesParameters
    from opslab.feedback.result import FeedbackResult
    from opslab.feedback.spec import Study

__all__ = ["FeedbackResult", "Study", "ThemesParameters", "find_themes"]

_HOMES = {
    "FeedbackResult": "result",
    "Study": "spec",
    "ThemesParameters": "parameters",
    "find_themes": "analysis",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'opslab.feedback' has no attribute {name!r}")
    return getattr(import_module(f"opslab.feedback.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
