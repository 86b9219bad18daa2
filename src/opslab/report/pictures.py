"""The pictures that a notebook's text names: files of the workspace, and of nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from opslab import workspace

_NAMED = re.compile(r"(?:[(:]\s*<?|src=\")([^()<>\n]{1,300}?\.(?:png|jpe?g|svg))\b", re.IGNORECASE)


def images_in(notebook: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Return the pictures that a notebook's Markdown cells name, as far as they are there.

    They are part of what its readout shows: a run is known by them too.

    Parameters
    ----------
    notebook : Mapping
        As JSON, or as nbformat reads it.
    folder : Path
        Where the notebook is: names start there, or else at the workspace's root. What stands
        outside of the workspace, or where a link leads out of it, is not there.

    Returns
    -------
    dict of str to Path
        Each address as it is written, and its file.
    """
    root, images = workspace.root().resolve(), {}
    texts = [
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    ]
    for url in dict.fromkeys(_NAMED.findall("\n".join(texts))):
        for base in (root, folder):
            with suppress(OSError, ValueError, RuntimeError):  # no name that a file can have
                path = (base / unquote(url)).resolve()
                if path.is_relative_to(root) and path.is_file():
                    images[unquote(url)] = path
    return images
