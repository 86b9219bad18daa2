"""Customer feedback: exports in, themes out that keep both languages together, with their doubt."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.feedback.analysis import find_themes as find_themes
    from opslab.feedback.parameters import ThemesParameters as ThemesParameters
    from opslab.feedback.result import FeedbackResult as FeedbackResult
    from opslab.feedback.spec import Study as Study
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        analysis="find_themes",
        parameters="ThemesParameters",
        result="FeedbackResult",
        spec="Study",
    )
