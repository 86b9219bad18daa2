"""From an executed notebook to a filed run: the same form whoever executed it, the record, the page."""

from __future__ import annotations

import ast
import base64
import copy
import datetime
import hashlib
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.errors import InputError, RunError
from opslab.evidence import FILES_TYPE, RECORD_TYPE
from opslab.messages import Language, text
from opslab.messages.numbers import Numbers
from opslab.runs import folder as folders
from opslab.runs.folder import NOTEBOOK, READOUT, RESULT, RUN, Identity, Run

PARAMETERS, INJECTED = "parameters", "injected-parameters"
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_LONGEST_WHOLE = 1e21  # from here on JavaScript writes a whole number with an exponent
_LARGEST_RECORD = 1_000_000


def normal_form(notebook: Any, parameters: Mapping[str, Any]) -> tuple[Any, list[float]]:
    """Return an executed notebook without what tells one run from the next, and the seconds of each cell.

    Clocks, random ids and the marks of the program that ran it are dropped; the values given stand
    in the parameters cell itself, wherever they were put; the cells count from 1; a record is
    written as JavaScript writes it, because JupyterLab saves what a browser sends.
    """
    normal = copy.deepcopy(notebook)
    ours = {"opslab": normal.metadata["opslab"]} if "opslab" in normal.metadata else {}
    normal.metadata.clear()
    normal.metadata.update(copy.deepcopy(_KERNEL) | ours)
    seconds, cells, count = [], [], 0
    for cell in normal.cells:
        took = _seconds(cell.metadata)
        tags = cell.metadata.get("tags", [])
        if INJECTED in tags:
            continue
        cell.metadata.clear()
        if tags:
            cell.metadata["tags"] = tags
        if not cell.get("attachments", True):
            del cell["attachments"]
        if PARAMETERS in tags:
            cell.source = with_values(cell.source, parameters)
        if cell.cell_type == "code":
            seconds.append(took)
            executed = cell.execution_count is not None
            count += executed
            cell.execution_count = count if executed else None
            cell.outputs = _normal_outputs(cell.outputs, cell.execution_count)
        cells.append(cell)
    normal.cells = cells
    return normal, seconds


def _seconds(told: Mapping[str, Any]) -> float:
    """Return how long a cell took, as papermill or JupyterLab noted it; 0 where neither did."""
    try:
        if "papermill" in told:
            took = float(told["papermill"]["duration"])
        else:
            start, end = (
                told["execution"][name] for name in ("iopub.execute_input", "shell.execute_reply")
            )
            parse = datetime.datetime.fromisoformat
            took = (parse(end) - parse(start)).total_seconds()
    except (KeyError, TypeError, ValueError):
        return 0.0
    return took if math.isfinite(took) and took > 0 else 0.0


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
                kind: about for kind, about in output.metadata.items() if kind in output.data
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
        return [_as_javascript(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONGEST_WHOLE:
        return int(value)
    return value


def as_written(executed: Any, name: str) -> Any:
    """Return an executed notebook with the ids and the parameters cell of the notebook it is a copy of.

    Neither is part of a run's identity, so neither may make a difference in what is filed. The
    notebook that the package brings comes before the workspace's own, whose parameters an analyst
    may have edited. One whose other cells were changed stays as it is: it is another run.
    """
    digest = folders.source_digest(executed)
    given = [cell for cell in executed.cells if PARAMETERS in cell.metadata.get("tags", [])]
    path = f"notebooks/{name}.ipynb"
    for place in (workspace.bundled(path), workspace.resolve(path)):
        try:
            written = json.loads(place.read_text(encoding="utf-8"))
            same = folders.source_digest(written) == digest
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if same and len(given) == 1:
            return _with_cells(executed, written["cells"], given[0])
    return executed


def _with_cells(executed: Any, written: Sequence[Mapping[str, Any]], given: Any) -> Any:
    others = iter([cell for cell in executed.cells if not _holds_values(cell)])
    cells = []
    for model in written:
        cell = copy.deepcopy(given if _holds_values(model) else next(others))
        cell["source"] = "".join(model["source"])
        cell["id"] = model.get("id", cell.id)
        cells.append(cell)
    notebook = copy.deepcopy(executed)
    notebook.cells = cells
    return notebook


def _holds_values(cell: Mapping[str, Any]) -> bool:
    return bool({PARAMETERS, INJECTED} & set(cell["metadata"].get("tags", [])))


def with_values(source: str, parameters: Mapping[str, Any]) -> str:
    """Return the source of a parameters cell with the values given; its comments stay."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if name in parameters and node.end_lineno == node.lineno:
            line = lines[node.lineno - 1].encode()  # ast counts columns in UTF-8 bytes
            value = _literal(parameters[name])
            changed = (
                line[: node.value.col_offset] + value.encode() + line[node.value.end_col_offset :]
            )
            lines[node.lineno - 1] = changed.decode()
    return "\n".join(lines)


def _literal(value: str | float | bool) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def values_in(notebook: Any) -> dict[str, Any]:
    """Return the parameters that an executed notebook ran with: its own cell's, over which those injected.

    Raises ValueError or SyntaxError where such a cell holds anything but ``name = value`` lines.
    """
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        if not _holds_values(cell):
            continue
        for node in ast.parse(cell.source).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = ast.literal_eval(value)
                case _:
                    raise ValueError(ast.unparse(node))
    return found


def published(notebook: Any) -> Mapping[str, Any] | None:
    """Return the data of the last output that carries a record."""
    output = publication(notebook)
    return None if output is None else dict(output.data)


def publication(notebook: Any) -> Any | None:
    """Return the last output that carries a record, or None."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    found = [output for output in outputs if RECORD_TYPE in output.get("data", {})]
    return found[-1] if found else None


def file_readout(
    working: Path,
    target: Path,
    notebook: Any,
    identity: Identity,
    parameters: Mapping[str, Any],
    language: Language,
) -> Run:
    """Write a whole run into its working folder and give it its name.

    Parameters
    ----------
    working, target : Path
    notebook : nbformat.NotebookNode
        Executed to its end, with a record in it.
    identity : Identity
    parameters : Mapping
        Plain values.
    language : {"en", "fr"}
    """
    from opslab.report.page import render
    from opslab.runs.execute import write

    normal, seconds = normal_form(as_written(notebook, identity.notebook), parameters)
    data = published(normal)
    if data is None:
        raise InputError.of("runs.no_record")
    record = dict(data[RECORD_TYPE])
    size = len(json.dumps(record, ensure_ascii=False, allow_nan=False).encode())
    if size > _LARGEST_RECORD:
        raise RunError.of("runs.record_size", bytes=size, most=_LARGEST_RECORD)
    documents = _documents(publication(normal))
    write(normal, working / NOTEBOOK)
    names = None if documents is None else [one["file"] for one in documents]
    page = render(normal, footer(identity, language), language, names)
    (working / READOUT).write_text(page, encoding="utf-8")
    folders.write_json(working / RESULT, record)
    _write_files(working, data.get(FILES_TYPE, {}), [*record.get("files", []), *(documents or [])])
    headline, status = str(data.get("text/plain", "")), str(record["status"])
    told = folders.describe(identity, status=status, headline=headline, seconds=seconds)
    told |= _action(publication(normal)) | {"imports": record.get("imports", [])}
    told["outputs"] = {path.name: workspace.sha256(path) for path in sorted(working.iterdir())}
    folders.write_json(working / RUN, told)
    folders.file_away(working, target)
    return Run(target, status, headline)


def _write_files(
    working: Path, carried: Mapping[str, str], told: Sequence[Mapping[str, str]]
) -> None:
    """Write the files that a notebook carries, if they are those that its record names, by name and hash."""
    for one in told:
        name, content = one["file"], None
        if name in carried and folders.FILE_NAME.fullmatch(name):
            with suppress(ValueError, TypeError, zlib.error):
                content = zlib.decompress(base64.b64decode(carried[name]))
        if content is None or hashlib.sha256(content).hexdigest() != one["sha256"]:
            raise InputError.of("runs.bad_file", file=name)
        (working / name).write_bytes(content)


def _documents(output: Any) -> list[dict[str, str]] | None:
    """Return name and hash of the documents that a result offers, None where its kind has none."""
    told = output.metadata.get(RECORD_TYPE, {}).get("documents")
    try:
        return (
            None
            if told is None
            else [{name: str(one[name]) for name in ("file", "sha256")} for one in told]
        )
    except (KeyError, TypeError):
        raise InputError.of("runs.no_record") from None


def _action(output: Any) -> dict[str, str]:
    """Return what to do, and its tone: what the catalogue shows of a run beside its headline."""
    about = output.metadata.get(RECORD_TYPE, {})
    return {name: about[name] for name in ("action", "tone") if isinstance(about.get(name), str)}


def footer(identity: Identity, language: Language) -> list[tuple[str, str]]:
    """Return what the page says of its run."""
    inputs = " · ".join(f"{file['file']} ({file['sha256'][:8]})" for file in identity.files)
    return [
        (text("report.run", language), identity.run_id),
        (text("report.as_of", language), Numbers(language).date(identity.inputs.as_of)),
        (text("report.spec", language), inputs),
        (text("report.version", language), f"opslab {identity.versions['opslab']}"),
    ]
