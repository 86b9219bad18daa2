"""What a reader sees: sentences, tables and figures in a notebook's cells, and the page made of them."""

from opslab.report.blocks import Block, Facts, Heading, Paragraph, Table, Verdict
from opslab.report.figures import Figure
from opslab.report.publish import RECORD_TYPE, Result, publish, show

__all__ = [
    "RECORD_TYPE",
    "Block",
    "Facts",
    "Figure",
    "Heading",
    "Paragraph",
    "Result",
    "Table",
    "Verdict",
    "publish",
    "show",
]
