"""Customer feedback: exports in, themes out that keep both languages together, with their doubt."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.feedback.analysis import find_themes as find_themes
    from opslab.feedback.clustering import silhouette as silhouette
    from opslab.feedback.encoders import encode as encode
    from opslab.feedback.parameters import ThemesParameters as ThemesParameters
    from opslab.feedback.redaction import redact as redact
    from opslab.feedback.result import FeedbackResult as FeedbackResult
    from opslab.feedback.shares import wilson as wilson
    from opslab.feedback.spec import Study as Study
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        analysis="find_themes",
        clustering="silhouette",
        encoders="encode",
        parameters="ThemesParameters",
        redaction="redact",
        result="FeedbackResult",
        shares="wilson",
        spec="Study",
    )
