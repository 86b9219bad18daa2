"""The form in which a run files its notebook: the same, whoever executed it."""

from __future__ import annotations

import copy
import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

from opslab.runs.cells import is_injected, is_own
from opslab.runs.parameters_cell import with_values

_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_LONGEST_WHOLE = 1e21  # from here on JavaScript writes a whole number with an exponent


def normal_form(notebook: Any, parameters: Mapping[str, Any]) -> Any:
    """Return an executed notebook without what tells one run from the next.

    Clocks, random ids and the marks of the program that ran it are dropped; the values given stand
    in the parameters cell itself, wherever they were put; the cells count from 1; a record is
    written as JavaScript writes it, because JupyterLab saves what a browser sends.
    """
    normal = copy.deepcopy(notebook)
    ours = {"opslab": normal.metadata["opslab"]} if "opslab" in normal.metadata else {}
    normal.metadata = _KERNEL | ours
    normal.cells = [cell for cell in normal.cells if not is_injected(cell)]
    count = 0
    for cell in normal.cells:
        if is_own(cell):
            cell.source = with_values(cell.source, parameters)
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if not cell.get("attachments", True):
            del cell["attachments"]
        if cell.cell_type == "code":
            executed = cell.execution_count is not None
            count += executed
            cell.execution_count = count if executed else None
            cell.outputs = _normal_outputs(cell.outputs, cell.execution_count)
    return normal


def seconds_per_cell(notebook: Any) -> list[float]:
    """Return how long each code cell took, as papermill or JupyterLab noted it, else 0."""
    return [
        _seconds(cell.metadata)
        for cell in notebook.cells
        if cell.cell_type == "code" and not is_injected(cell)
    ]


def _seconds(noted: Mapping[str, Any]) -> float:
    try:
        if "papermill" in noted:
            seconds = float(noted["papermill"]["duration"])
        else:
            start, end = (
                datetime.datetime.fromisoformat(noted["execution"][name])
                for name in ("iopub.execute_input", "shell.execute_reply")
            )
            seconds = (end - start).total_seconds()
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0.0
    return round(seconds, 3) if math.isfinite(seconds) and seconds > 0 else 0.0


def _normal_outputs(outputs: Sequence[Any], count: int | None) -> list[Any]:
    normal: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and normal and output.name == normal[-1].get("name"):
            normal[-1].text += output.text  # JupyterLab joins them, papermill does not
            continue
        if "execution_count" in output:
            output["execution_count"] = count
        if "data" in output:
            output.metadata = {
                kind: _as_javascript(about)
                for kind, about in output.metadata.items()
                if kind in output.data
            }
            for kind in output.data:
                if kind.endswith(("/json", "+json")):
                    output.data[kind] = _as_javascript(output.data[kind])
        normal.append(output)
    return normal


def _as_javascript(value: Any) -> Any:
    """Return JSON with its names sorted and its whole numbers without a decimal point."""
    if isinstance(value, Mapping):
        return {name: _as_javascript(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_as_javascript(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONGEST_WHOLE:
        return int(value)
    return value
