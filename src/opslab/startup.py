"""Making the first import of the notebook libraries quick."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def without_iri_grammar() -> Iterator[None]:
    """Import nbformat inside of this block, for the first time in the process.

    nbformat imports jsonschema, and jsonschema imports ``rfc3987_syntax`` where it is installed
    (JupyterLab brings it), which compiles a grammar at import: 2.6 s of CPU for every notebook that
    is read or written. It only serves the format check "iri", which nbformat's schema does not use.
    A test says when jsonschema no longer needs this.
    """
    absent = _GRAMMAR not in sys.modules
    if absent:
        # This is how Python marks what cannot be imported.
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            sys.modules.pop(_GRAMMAR, None)
