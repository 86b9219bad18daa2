"""Other runs that a spec names: their records, as they were filed and nothing altered since."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from opslab import archive, provenance, workspace
from opslab.documents import Location
from opslab.errors import SpecError
from opslab.specs import FromFile


@dataclass(frozen=True)
class CitedRun:
    """A run folder that a spec names: what it tells of itself, and its record."""

    card: archive.Card
    record: Mapping[str, Any]


class Earlier(NamedTuple):
    """The run that a spec is compared with: its record, empty of none, and its day.

    Attributes
    ----------
    passed : list of Path
        Later ones that stopped at a check, were altered, or are exploratory.
    """

    record: Mapping[str, Any]
    day: datetime.date | None
    passed: list[Path]


class Citing(FromFile):
    """A spec that names runs by their folders."""

    NOTEBOOK: ClassVar[str] = ""
    """Whose run `previous: last` is."""
    CITES: ClassVar[tuple[str, ...]] = ("previous",)
    """Fields that name them: one, several, or several by name."""

    def named(self) -> dict[Location, str]:
        """Return the files that it names, and the records of the runs."""
        cited: dict[Location, str] = {}
        for field in self.CITES:
            match dict(self)[field]:
                case "last" | None:
                    continue
                case str(run):
                    cited[field,] = record_file(run)
                case runs:
                    pairs = runs.items() if isinstance(runs, dict) else enumerate(runs)
                    cited |= {(field, at): record_file(run) for at, run in pairs}
        return {**super().named(), **cited}

    def looked_up(self, day: datetime.date) -> Iterable[Path]:
        """Return the records that `previous: last` looks at, so that a run stands on them."""
        return records_of_last(self, self.NOTEBOOK, day) if self.NOTEBOOK else ()


def record_file(folder: str) -> str:
    """Return the path of a run's record: what a spec's `named` tells of a run that it cites."""
    return f"{folder}/{archive.RESULT}"


def cited_run(
    spec: FromFile,
    folder: str,
    *location: str | int,
    notebook: str,
    by: datetime.date | None = None,
) -> CitedRun:
    """Return a run that a field of a spec names by its folder.

    Parameters
    ----------
    spec : FromFile
    folder : str
        From the spec's own folder.
    *location
        The field.
    notebook : str
        Whose run it has to be.
    by : datetime.date, optional
        Day that it must not be later than.

    Raises
    ------
    SpecError
        Where there is no such run, it was altered since, stopped at a check, is exploratory, or
        later than the day.
    """
    path = spec.beside(folder)
    run = _filed(path, notebook)
    if isinstance(run, str):
        raise SpecError(spec.problem(run, *location, run=folder, notebook=notebook))
    if by and (then := datetime.date.fromisoformat(run.record["as_of"])) > by:
        raise SpecError(spec.problem("operations.later_run", *location, then=then, day=by))
    provenance.note(path / archive.RESULT, run.card.outputs[archive.RESULT])
    return run


def last_runs(spec: FromFile, notebook: str, day: datetime.date) -> tuple[list[Path], Path | None]:
    """Return the last run of a spec before a day, and those that were passed over to get to it.

    Looked for in the reports; of several of a day, the one that was filed last.

    Parameters
    ----------
    spec : FromFile
    notebook : str
    day : datetime.date

    Returns
    -------
    list of Path
        Later ones that stopped at a check, were altered, or are exploratory.
    Path or None
        None where there is no earlier run, or none that can be cited.
    """
    home, passed = workspace.reports() / notebook / spec.slug, list[Path]()
    early = [home / run for run in archive.runs_in(home) if run[:10] < day.isoformat()]
    for run in sorted(early, key=lambda run: (run.name[:10], run.stat().st_mtime_ns))[::-1]:
        if not isinstance(_filed(run, notebook), str):
            return passed, run
        passed.append(run)
    return passed, None


def earlier_run(spec: Any, notebook: str, day: datetime.date) -> tuple[Any, Earlier]:
    """Return the run that ``previous`` names, and the spec that names it where it says `last`.

    Parameters
    ----------
    spec : FromFile
        With a field ``previous``: the folder of a run, `last`, or nothing.
    notebook : str
    day : datetime.date
        That the run must not be later than; the last run is of an earlier one.

    Raises
    ------
    SpecError
        See `cited_run`; and for a run of another spec, which tells of something else.
    """
    passed, given = list[Path](), spec.previous
    if given == "last":
        passed, run = last_runs(spec, notebook, day)
        given = str(run.absolute()) if run else None
        spec = spec.model_copy(update={"previous": given or "last"})
    if not given:
        return spec, Earlier({}, None, passed)
    known = cited_run(spec, given, "previous", notebook=notebook, by=day)
    if known.card.name != spec.slug:
        values = {"other": known.card.name, "name": spec.slug}
        raise SpecError(spec.problem("operations.other_previous", "previous", **values))
    record = known.record
    return spec, Earlier(record, datetime.date.fromisoformat(record["as_of"]), passed)


def records_of_last(spec: Any, notebook: str, day: datetime.date) -> list[Path]:
    """Return the records that `previous: last` looks at, so that a run stands on them."""
    passed, run = last_runs(spec, notebook, day)
    runs = [*passed, run] if spec.previous == "last" else []
    return [path / archive.RESULT for path in runs if path and (path / archive.RESULT).is_file()]


def _filed(path: Path, notebook: str) -> CitedRun | str:
    """Return a run, or the key of what keeps it from being cited."""
    filed = archive.read_run(path, whole=False)
    if filed.card is None or filed.card.notebook != notebook:
        return "operations.no_run"
    if filed.altered:
        return "operations.altered_run"
    if filed.card.status != "complete":
        return "operations.stopped_run"
    record = json.loads(filed.files[archive.RESULT])
    return "operations.explored_run" if record.get("exploratory") else CitedRun(filed.card, record)
