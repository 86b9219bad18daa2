"""What a reader sees: sentences, tables and figures in a notebook's cells, and the page of them."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.report.cells import publish as publish
    from opslab.report.cells import show as show
    from opslab.report.figures import Figure as Figure
    from opslab.report.figures import figure as figure
    from opslab.report.figures import style as style
    from opslab.report.voice import Voice as Voice
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        cells="publish show",
        figures="Figure figure style",
        voice="Voice",
    )
