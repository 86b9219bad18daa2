"""The files of a run, made from its executed notebook: a whole readout, or what a failure left."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.archive import FAILURE, NOTEBOOK, READOUT, RESULT, RUN
from opslab.errors import InputError, Problem
from opslab.evidence import RECORD_TYPE
from opslab.messages import text
from opslab.messages.numbers import Numbers
from opslab.provenance import has_changed
from opslab.report.blocks import Verdict
from opslab.report.page import render
from opslab.runs import notebook_file
from opslab.runs.failure import Failure, NotebookError
from opslab.runs.folder import Run, file_away, json_bytes, machine_errors, write_through
from opslab.runs.job import Job, source_digest
from opslab.runs.normal_form import normal_form, seconds_per_cell
from opslab.runs.publication import About, Held, Publication, publication
from opslab.version import __version__

_UNHEARD = re.compile(
    r"\b(polars|duckdb|pyarrow|pyspark|dask|joblib|multiprocessing|concurrent|subprocess|system"
    r"|popen|fork|spawn\w*|\w+_subprocess\w*|requests|urllib\w*|https?|httpx|aiohttp|socket|ftplib"
    r"|boto3|sqlite3?|sqlalchemy|psycopg\w*|h5py|dbm|read_(?:parquet|feather|orc|sql\w*|hdf|html)"
    r"|r?glob|iglob|iterdir|listdir|scandir|walk|exists|is_file|environ|getenv|chdir|expanduser"
    r"|home|parents?|now|today)\b|[\"'](?:/\w|~|\.\./|\w+:[\\/]|\.\w[^\"'\n]*/)|^\s*[!%]",
    re.MULTILINE,
)
"""Files opened by other means than Python's, outside of the workspace or as a folder has them."""
_LARGEST_RECORD = 1_000_000


def file_readout(job: Job, notebook: Any, working: Path, *, rendered: bool = False) -> Run:
    """Write a whole run into its working folder and give it its name.

    Parameters
    ----------
    job : Job
    notebook : nbformat.NotebookNode
        Executed to its end, with a record in it.
    working : Path
    rendered : bool
        Whether another program has executed it, which its page then says.

    Raises
    ------
    InputError
        When what was read is not what the run is known by: something has changed meanwhile.
    """
    executed = notebook_file.as_written(notebook, job.notebook)
    normal = normal_form(executed, job.parameters.given())
    silent = _silent(job) if job.notebook.file else None
    published = publication(normal, silent)
    if published is None:
        raise InputError.of("runs.no_record")
    noted = notebook.metadata.get("papermill", {})
    also_read = _also_read(job, notebook, published, noted.get("read") or [])
    record, documents = published.record, published.about.documents
    size = len(json.dumps(record, ensure_ascii=False).encode())
    if size > _LARGEST_RECORD:
        raise InputError.of("runs.record_size", bytes=size, most=_LARGEST_RECORD)
    names = None if documents is None else [document.file for document in documents]
    page = render(
        normal,
        _footer(job, rendered=rendered),
        job.language,
        names,
        title=job.notebook.title[job.language],
        folder=job.notebook.path.parent,
    )
    files = {
        NOTEBOOK: notebook_file.written(normal),
        READOUT: page.encode(),
        RESULT: json_bytes(record),
        **published.contents(),
    }
    status, headline = published.held.status, published.headline
    remark = _unknown(job, notebook, also_read)
    more = published.about.model_dump(
        include={"action", "tone", "reason", "facts"}, exclude_none=True
    ) | {
        "origin": "rendered" if rendered else "run",
        "own": job.is_own,
        "kernel": noted.get("kernel"),
        "also_read": also_read,
        "reusable": remark is None,
        "owner": _owner(record),
        "imports": record.get("imports", []),
        "outputs": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    }
    about = job.about(status, headline, seconds_per_cell(executed), more)
    _write(working, files | {RUN: json_bytes(about)}, job.target)
    return Run(job.target, status, headline, published.about.reason, remark=remark)


def _silent(job: Job) -> Publication:
    """Return what stands for the result of a notebook of the user's own that publishes none."""
    title = job.notebook.title[job.language]
    record = {"schema": "opslab.notebook/1", "status": "complete", "title": title}
    record |= {name: job.content[name] for name in ("notebook", "as_of", "inputs")}
    held = Held(status="complete")
    return Publication(record=record, held=held, about=About(), headline=title, carried={})


def _owner(record: Mapping[str, Any]) -> str | None:
    match record:
        case {"plan": {"owner": str(owner)}}:
            return owner
    return None


def file_failure(job: Job, failure: Failure, notebook: Any, working: Path) -> NotebookError:
    """File what a failed run got, the error first; a good run of the same name stays as it is."""
    problems, language = failure.problems(), job.language
    normal = normal_form(notebook, job.parameters.given())
    sentences = [problem.text(language) for problem in problems]
    screen = Verdict(
        kicker=job.notebook.title[language],
        title=job.inputs.name,
        question=None,
        action=text("report.failed", language),
        headline=sentences[0],
        tone="bad",
        reasons=sentences[1:],
    )
    page = render(normal, _footer(job), language, failure=screen)
    more = {"failure": failure.kind, "exit_code": failure.exit_code}
    more["kernel"] = notebook.metadata.get("papermill", {}).get("kernel")
    about = job.about("failed", "\n".join(sentences), seconds_per_cell(notebook), more)
    files = {
        NOTEBOOK: notebook_file.written(normal),
        FAILURE: page.encode(),
        RUN: json_bytes(about),
    }
    _write(working, files, job.failed)
    return NotebookError(*problems, exit_code=failure.exit_code, folder=job.failed)


def _write(working: Path, files: Mapping[str, bytes], folder: Path) -> None:
    with machine_errors(working):
        for name, content in files.items():
            write_through(working / name, content)
        file_away(working, folder)


def _also_read(
    job: Job, notebook: Any, published: Publication, answers: Sequence[Mapping[str, str]]
) -> dict[str, str]:
    """Return what the notebook has read beyond what the run is known by, by name and hash.

    Raises `InputError` where it has read something else under a name that the run is known by.
    """
    if source_digest(notebook) != job.source:
        raise InputError.of("runs.changed_meanwhile", file=f"{job.notebook.name}.ipynb")
    known = {(file.name, file.sha256) for file in job.known.values()}
    read = {(named.file, named.sha256) for named in published.about.read}
    read |= {(file["file"], file["sha256"]) for file in answers}
    others = sorted(read - known)
    names = Counter(file for file, _ in [*known, *others])
    changed = {file for file, count in names.items() if count > 1 and file in dict(others)}
    for path, file in job.known.items():
        if has_changed(path, file.before):
            changed.add(file.name)
    InputError.refuse([Problem("runs.changed_meanwhile", file=file) for file in sorted(changed)])
    return dict(others)


def _unknown(job: Job, notebook: Any, also_read: Iterable[str]) -> str | None:
    """Return the message why it is not known what the cells have read; None where it is known.

    All is heard that they read by Python's own means, before they publish or a kernel of ours is
    asked. Polars, DuckDB, Arrow and other programs open files by themselves, a module of the user's
    own may let them, and what a folder holds is no file.
    """
    cells = [cell for cell in notebook.cells if cell.get("execution_count")]
    if not job.inputs.files:
        return "runs.again_inputs"
    known = notebook.metadata.get("papermill", {}).get("read") is not None
    known = known or any(RECORD_TYPE in output.get("data", {}) for output in cells[-1].outputs)
    modules = [workspace.root() / name for name in also_read if name.endswith(".py")]
    sources = [cell.source for cell in cells]
    sources += [module.read_text(encoding="utf-8", errors="replace") for module in modules]
    unheard = any(map(_UNHEARD.search, sources))
    return "runs.again_unheard" if unheard or not known else None


def _footer(job: Job, *, rendered: bool = False) -> list[tuple[str, str]]:
    """Return what the page says of its run: names and values."""
    inputs = " · ".join(f"{file['file']} ({file['sha256'][:8]})" for file in job.content["inputs"])
    values = {
        "run": job.run_id,
        "as_of": Numbers(job.language).date(job.inputs.as_of),
        "spec": inputs,
        "version": f"opslab {__version__}",
    }
    if job.is_own:
        values["notebook"] = text("report.own_notebook", job.language)
    if rendered:
        values["origin"] = text("report.rendered", job.language)
    return [(text(f"report.{name}", job.language), value) for name, value in values.items()]
