"""A result's figures by name, drawn when they are first asked for, in the words of a language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from opslab.errors import no_such
from opslab.messages import Language


class Figures(Mapping[str, Any]):
    """The figures of a result by name, drawn when they are first asked for."""

    def __init__(self, draw: Callable[[Language], Mapping[str, Any]], language: Language) -> None:
        self._draw, self._language = draw, language
        self._drawn: dict[Language, Mapping[str, Any]] = {}

    def __call__(self, language: Language) -> Mapping[str, Any]:
        """Return the figures with their words in a language."""
        if language not in self._drawn:
            self._drawn[language] = self._draw(language)
        return self._drawn[language]

    def __getitem__(self, name: str) -> Any:
        figures = self(self._language)
        if name not in figures:
            raise KeyError(no_such(name, figures))
        return figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self(self._language))

    def __len__(self) -> int:
        return len(self(self._language))

    def save(self, folder: str | Path, form: Literal["svg", "png"] = "svg") -> list[Path]:
        """Write each figure under its name into a folder, and return the files."""
        return [figure.save(Path(folder) / f"{name}.{form}") for name, figure in self.items()]

    def __repr__(self) -> str:
        return f"<figures: {', '.join(self)}>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)
