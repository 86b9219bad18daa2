"""What a review of standards is told: where the documents are, whose they are, how long they last.

What a document has to hold is not told here: its template says so.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from pydantic import Field

from opslab import workspace
from opslab.documents import Location
from opslab.operations.cited import record_file
from opslab.specs import Day, FromFile, Text, Title, Words


class Standard(FromFile):
    """A standard: templates, and the folder of documents that should follow them."""

    standard: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the standard"""
    date: Day | None = None
    """day of the review"""
    documents: str
    """folder of the documents, from the spec's folder"""
    templates: str = ""
    """folder of your own templates; by default `templates/` of the workspace, then opslab's"""
    stale_after_days: int = Field(180, ge=1)
    """age at which a document is stale whose template asks when it is reviewed"""
    teams: dict[str, Words] = Field({})
    """what teams are called, by folder; by default the document's own word, then the folder"""
    exclude: tuple[str, ...] = ()
    """patterns of paths in the folder that are no documents, such as `*/archive/*`"""
    previous: tuple[str, ...] = ()
    """folders of earlier runs of `standards_review`, for what has moved"""
    accept: dict[Literal["read", "followed", "unclear", "stale", "moved"], Text] = Field({})
    """why a check is accepted, by its name"""

    def paths(self) -> list[str]:
        """Return the files in the folder, from it, in one order; without those that are hidden."""
        home, left_out = self.beside(self.documents), (".*", "*/.*", "*~$*", *self.exclude)
        paths = (path.relative_to(home) for path in home.rglob("*") if path.is_file())
        names = sorted(path.as_posix() for path in paths)
        return [name for name in names if not any(fnmatch(name, out) for out in left_out)]

    def folders(self) -> tuple[Path, Path]:
        """Return where templates are: those brought along, and those that replace them."""
        own = self.beside(self.templates) if self.templates else workspace.root() / "templates"
        return Path(__file__).with_name("templates"), own.absolute()

    def named(self) -> dict[Location, str]:
        """Return every document and template that is there, and the runs that are cited."""
        documents = [f"{self.documents}/{path}" for path in self.paths() or ["*.md"]]
        templates = [str(path) for path in sorted(self.folders()[1].glob("*.md"))]
        given = {"documents": documents + templates, "previous": map(record_file, self.previous)}
        return {(field, place): path for field in given for place, path in enumerate(given[field])}
