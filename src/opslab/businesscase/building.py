"""Building the case: citing, drawing, adding up, checking."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from opslab import workspace
from opslab.businesscase import checks, outcomes, promise
from opslab.businesscase.cashflow import flows_of, refuse, weights_of
from opslab.businesscase.citations import Finding, Run, findings, no_distribution, numbered, runs_of
from opslab.businesscase.drivers import drivers
from opslab.businesscase.ledger import Known, files_of, names_twice, prepare, used
from opslab.businesscase.outcomes import Totals, spread
from opslab.businesscase.references import month_after, month_of, refuse_contradictions
from opslab.businesscase.result import CaseResult, Line
from opslab.businesscase.simulation import Drawn, Flow, Horizon, Weights, amount, net, simulate
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem
from opslab.evidence import Evidence, SourceFile
from opslab.uncertainty.distributions import Fixed, Values
from opslab.uncertainty.draws import scores

_FEWEST = 1_000  # draws
_SOME = 5_000  # draws for what is told beside the NPV


def build(
    case: Case,
    evidence: Mapping[str, Sequence[Evidence]] | None = None,
    *,
    runs: str | Path | None = None,
    as_of: datetime.date | None = None,
    draws: int = 100_000,
    seed: int = 1,
) -> CaseResult:
    """Return what a case comes to: options with their uncertainty, what they rest on, what was promised.

    Parameters
    ----------
    case : Case
    evidence : Mapping of id to sequence of Evidence, optional
        For what the case cites; read from the runs that it names by default.
    runs : path, optional
        Folder of the reports in which cited runs are looked for first; ``reports`` by default.
    as_of : datetime.date, optional
        The case's date by default.
    draws : int
        At least 1,000; the Monte Carlo error goes with their root.
    seed : int

    Raises
    ------
    InputError
        When the case contradicts itself; when what it cites is missing, altered, or of another
        unit.

    Examples
    --------
    >>> from opslab import businesscase, workspace
    >>> case = businesscase.Case.load(workspace.resolve("data/sample/product_ops.yaml"))
    >>> result = businesscase.build(case, draws=10_000)
    >>> result.recommended.npv.p10 < result.recommended.npv.p50 < result.recommended.npv.p90
    True
    """
    refuse_contradictions(case)
    if draws < _FEWEST or seed < 0:
        raise InputError.of("businesscase.draws", draws=draws, least=_FEWEST, seed=seed)
    day = as_of or case.date
    cited = (
        runs_of(case, workspace.resolve(runs) if runs else workspace.reports(), day)
        if evidence is None or case.previous
        else {}
    )
    found = findings(case, cited) if evidence is None else _given(case, evidence)
    known, factor = prepare(case, found, day)
    flows, shrunk, problems = flows_of(case, found, known)
    refuse([*names_twice(case, found), *promise.unmeasurable(case, found), *problems])
    options, nothing = weights_of(case)

    streams = {one.id: f"evidence/{one.evidence.id}" for one in found}

    @cache
    def drawn_scores(name: str) -> Values:
        return scores(streams.get(name, name), draws, seed)

    @cache
    def value(name: str) -> Values:
        made = known[name].used
        found: Values = (
            np.asarray(made.value) if isinstance(made, Fixed) else made.at(drawn_scores(name))
        )
        return found

    def event(flow: Flow) -> Values:
        happens = ndtr(drawn_scores(f"event/{flow.plain_name}")) < value(flow.probability or "")
        return np.asarray(happens, dtype=np.float64)

    horizon = Horizon(case.finance.horizon_months, case.finance.rate, case.finance.timing)
    drawn, cash = simulate(flows, options, value, horizon, event, draws)
    npvs = [Totals(one, drawn, draws).npv for one in options]
    stage = _stage(case)
    declared = [one for one in case.options if one.kind != "do_nothing"]
    results = tuple(
        outcomes.option_result(one, weights, drawn, made, case.finance, stage)
        for one, weights, made in zip(declared, options, cash, strict=True)
    )
    place = next(number for number, one in enumerate(declared) if one.kind == "recommended")
    best = options[place]
    columns = np.column_stack([np.zeros(draws), *npvs])
    by_rate, waiting = _elsewhere(case, flows, best, value, horizon, event, npvs[place])
    base, all_low, bars, worth = drivers(
        flows, best, known, horizon, drawn_scores, columns, place + 1
    )
    lines = _lines(case, known, drawn, options, best, value, event, shrunk)
    ledger = used(known, _users(flows))
    targets = promise.targets(case, found, cited.get(case.previous or ""), day)
    previous = cited.get(case.previous or "")
    return CaseResult(
        case=case,
        as_of=day,
        draws=draws,
        seed=seed,
        months=tuple(month_after(case.finance.start, month) for month in range(horizon.months)),
        factor=factor,
        options=results,
        nothing=outcomes.nothing_result(nothing, drawn, draws, horizon.months),
        differences=outcomes.differences([one.name for one in declared], npvs),
        lines=lines,
        ledger=ledger,
        waterfall=outcomes.waterfall(best, drawn),
        base=base,
        all_low=all_low,
        drivers=bars,
        evpi=worth,
        by_rate=by_rate,
        waiting=waiting,
        enabled=outcomes.enabled(drawn, best),
        targets=targets,
        previous=promise.compared(previous, case, results, lines, ledger) if previous else None,
        checks=checks.run(
            case,
            results[place],
            best,
            drawn,
            lines,
            ledger,
            targets,
            _populations(found, case, known),
        ),
        cites=tuple(dict.fromkeys(run.id for run in cited.values() if run.at_hand)),
        sources=_sources(case, found, cited),
    )


def files(case: Case, day: datetime.date) -> tuple[Path, ...]:
    """Return every file that a case stands on: itself, the records it cites, the files behind its numbers."""
    cited = runs_of(case, workspace.reports(), day)
    found = findings(case, cited)
    records = [run.file for run in cited.values()]
    behind = [
        path for path in files_of(case, found).values() if workspace.is_there(path, file=True)
    ]
    return tuple(dict.fromkeys([*([case.file] if case.file else []), *records, *behind]))


def _given(case: Case, evidence: Mapping[str, Sequence[Evidence]]) -> tuple[Finding, ...]:
    found: list[Finding] = []
    problems: list[Problem] = []
    for place, one in enumerate(case.evidence):
        told = sorted(evidence.get(one.id, ()), key=lambda finding: finding.id)
        if not told:
            problems.append(
                case.problem("businesscase.not_given", "evidence", place, "id", name=one.id)
            )
        problems += no_distribution(case, place, told)
        found += numbered(one.id, told, None)
    refuse(problems)
    return tuple(found)


def _stage(case: Case) -> int | None:
    step = next((one for one in case.roadmap if one.id == case.decision.stage), None)
    return (
        None
        if step is None
        else min(max(month_of(case, step.ends, full=False) + 1, 0), case.finance.horizon_months)
    )


def _users(flows: Sequence[Flow]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = defaultdict(list)
    for flow in flows:
        for one in flow.ids:
            if flow.plain_name not in users[one]:
                users[one].append(flow.plain_name)
    return users


def _lines(
    case: Case,
    known: Mapping[str, Known],
    drawn: Sequence[Drawn],
    options: Sequence[Weights],
    best: Weights,
    value: Callable[[str], Values],
    event: Callable[[Flow], Values],
    shrunk: Mapping[str, float],
) -> tuple[Line, ...]:
    """Return the benefits as the recommended option takes them, else as the first that does."""
    made = []
    declared = {one.name: one for one in case.benefits}
    for one in drawn:
        flow = one.flow
        parts = [option.parts.get(flow.name, 0.0) for option in (best, *options)]
        part = next((part for part in parts if part > 0), 0.0)
        if not part or (flow.cost and best.parts.get(flow.name, 0.0) <= 0):
            continue
        line = declared.get(flow.plain_name)
        grades = [known[name].entry.grade for name in (*flow.amounts, *flow.money)]
        amounts = np.asarray(
            sum((value(name) for name in flow.amounts[1:]), start=value(flow.amounts[0]))
        )
        made.append(
            Line(
                name=flow.plain_name,
                gain=flow.gain,
                kind=flow.kind,
                counted=flow.counted,
                grade=max(grades),
                refs=flow.ids,
                quantity=spread(part * amounts),
                unit=known[flow.amounts[0]].entry.unit,
                value=spread(part * amount(flow, value, chance=event)),
                present=spread(part * one.present),
                shrunk=shrunk.get(flow.name),
                owner=line.owner if line else None,
                signed_by=line.signed_by if line else None,
            )
        )
    return tuple(made)


def _populations(
    found: Sequence[Finding], case: Case, known: Mapping[str, Known]
) -> dict[str, dict[str, float]]:
    """Return the mean hours a year at full use that each line frees of each role."""
    freed: dict[str, dict[str, float]] = {}
    for line in case.benefits:
        for one in found:
            if one.cited in line.evidence and one.evidence.unit == "hours":
                mine = freed.setdefault(one.evidence.population, {})
                mine[line.name] = mine.get(line.name, 0.0) + known[one.id].used.mean
    return freed


def _elsewhere(
    case: Case,
    flows: Sequence[Flow],
    best: Weights,
    value: Callable[[str], Values],
    horizon: Horizon,
    event: Callable[[Flow], Values],
    npvs: Values,
) -> tuple[tuple[tuple[float, float, float], ...], float]:
    """Return mean NPV and P(NPV > 0) at other rates, and the mean that is lost when all starts later.

    From some of the draws, as differences to the same draws of the NPV itself. Waiting leaves the
    end of the horizon where it is, and doing nothing goes on until then.
    """

    def some(name: str) -> Values:
        return value(name)[:_SOME] if value(name).ndim else value(name)

    def event_of_some(flow: Flow) -> Values:
        return event(flow)[:_SOME]

    rates = sorted({*case.finance.rates, case.finance.rate})
    mine = npvs[:_SOME]
    found = []
    for rate, made in zip(
        rates, net(flows, best, some, horizon, event_of_some, rates=rates), strict=True
    ):
        gained = float((made > 0).mean() - (mine > 0).mean())
        chance = min(max(float((npvs > 0).mean()) + gained, 0.0), 1.0)
        found.append((rate, float(npvs.mean() + (made - mine).mean()), chance))
    later = net(flows, best, some, horizon, event_of_some, wait=case.finance.wait_months)
    return tuple(found), float((mine - later).mean())


def _sources(
    case: Case, found: Sequence[Finding], cited: Mapping[str, Run]
) -> tuple[SourceFile, ...]:
    made = (
        [SourceFile(workspace.shown(case.file), workspace.sha256(case.file), 1)]
        if case.file
        else []
    )
    made += [
        SourceFile(workspace.shown(run.file), workspace.sha256(run.file), 1)
        for run in cited.values()
    ]
    for (name, _), path in files_of(case, found).items():
        there = workspace.is_there(path, file=True)
        shown = workspace.shown(path) if there else name
        made.append(SourceFile(shown, workspace.sha256(path) if there else None, 1))
    return tuple(dict.fromkeys(made))
