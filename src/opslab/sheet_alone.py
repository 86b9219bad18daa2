"""A sheet that is given in the place of a spec: how its questions are answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from opslab import workspace
from opslab.errors import InputError, Problem
from opslab.specs import FromFile

_ANSWER = re.compile("`((?!profile)[a-z_]+:)( [^`]+)?`")


@contextmanager
def answering(spec: FromFile) -> Iterator[None]:
    """Let the refusal of a sheet that is given alone hold the spec in which it is answered."""
    try:
        yield
    except InputError as error:
        answer, file = _ANSWER.search(error.text()), spec.file
        if not answer or not file or file.suffix.lower() in (".yaml", ".yml"):
            raise
        said = f"{answer[1]}{answer[2] or ' …'}"
        first = next(field for field in type(spec).model_fields if field != "title")
        values = {
            "file": workspace.shown(file.with_suffix(".yaml")),
            "title": f"{first}: {spec.shown_title!r}",
            "sheet": f"{spec.SHEET}: {{path: {file.name!r}, {said}}}",
        }
        raise type(error)(*error.problems, Problem("specs.beside", values)) from None
