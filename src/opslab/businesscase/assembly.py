"""The assembly of a case: what it cites, what is drawn of it, what that comes to, its checks."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opslab import workspace
from opslab.businesscase import outcomes, promise
from opslab.businesscase.cashflow import CashFlow, cash_flow, weights_of
from opslab.businesscase.checks import Defended, checks
from opslab.businesscase.citations import Finding, Run, findings_given, findings_of, runs_of
from opslab.businesscase.contradictions import refuse, refuse_contradictions
from opslab.businesscase.drivers import drivers
from opslab.businesscase.ledger import Ledger, files_of, names_twice, prepare
from opslab.businesscase.options import AtRate
from opslab.businesscase.quantities import Draws
from opslab.businesscase.result import CaseResult, Line
from opslab.businesscase.simulation import (
    Cash,
    Drawn,
    Flow,
    Horizon,
    Weights,
    amount,
    net,
    simulate,
    total,
)
from opslab.businesscase.spec import Case
from opslab.errors import InputError
from opslab.evidence import Evidence, SourceFile
from opslab.messages import Language
from opslab.uncertainty.distributions import Values

_FEWEST = 1_000  # draws
_SOME = slice(5_000)  # draws for what is told beside the NPV


def build(
    case: Case,
    evidence: Mapping[str, Sequence[Evidence]] | None = None,
    *,
    runs: str | Path | None = None,
    as_of: datetime.date | None = None,
    draws: int = 100_000,
    seed: int = 1,
    language: Language = "en",
) -> CaseResult:
    """Return what a case comes to: options, what they rest on, what was promised.

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
    language : {"en", "fr"}
        In which the result shows itself.

    Raises
    ------
    InputError
        When the case contradicts itself; when what it cites is missing, altered, or of another
        unit.

    Examples
    --------
    >>> from opslab import businesscase, workspace
    >>> case = businesscase.Case.load(workspace.resolve("data/sample/product_ops.yaml"))
    >>> businesscase.build(case, draws=10_000).action
    'approve'
    """
    refuse_contradictions(case)
    if draws < _FEWEST or seed < 0:
        raise InputError.of("businesscase.draws", draws=draws, least=_FEWEST, seed=seed)
    basis = _basis(case, evidence, runs, as_of or case.date)
    return _result(basis, _model(basis, draws, seed), language)


def files(case: Case, day: datetime.date) -> tuple[Path, ...]:
    """Return every file that a case stands on: its own, cited records, those behind its numbers."""
    runs = runs_of(case, workspace.reports(), day)
    behind = files_of(case, findings_of(case, runs)).values()
    every = [*filter(None, [case.file]), *(run.file for run in runs.values())]
    every += [path for path in behind if workspace.is_there(path, file=True)]
    return tuple(dict.fromkeys(every))


@dataclass(frozen=True)
class _Basis:
    """What a case stands on: cited runs, what they found, every quantity, the lines of its cash."""

    case: Case
    day: datetime.date
    runs: Mapping[str, Run]
    findings: Sequence[Finding]
    ledger: Ledger
    lines: CashFlow

    @property
    def previous(self) -> Run | None:
        """The last case."""
        return self.runs.get(self.case.previous or "")


def _basis(
    case: Case,
    evidence: Mapping[str, Sequence[Evidence]] | None,
    reports: str | Path | None,
    day: datetime.date,
) -> _Basis:
    runs = dict[str, Run]()
    if evidence is None or case.previous:
        runs = runs_of(case, workspace.resolve(reports) if reports else workspace.reports(), day)
    findings = findings_of(case, runs) if evidence is None else findings_given(case, evidence)
    ledger = prepare(case, findings, day)
    lines = cash_flow(case, findings, ledger.known)
    refuse([*names_twice(case, findings), *promise.unmeasurable(case, findings), *lines.problems])
    return _Basis(case, day, runs, findings, ledger, lines)


@dataclass(frozen=True)
class _Model:
    """The cash flow, drawn: its lines, and the options on the same draws."""

    flows: Sequence[Flow]
    draws: Draws
    horizon: Horizon
    options: Sequence[Weights]
    nothing: Weights
    best: Weights
    drawn: Sequence[Drawn]
    cash: Sequence[Cash]

    @property
    def npvs(self) -> list[Values]:
        """The NPV of each option, for each draw."""
        return [
            outcomes.Totals(option, self.drawn, self.draws.count).npv for option in self.options
        ]


def _model(basis: _Basis, count: int, seed: int) -> _Model:
    case, flows = basis.case, basis.lines.flows
    streams = {finding.id: f"evidence/{finding.evidence.id}" for finding in basis.findings}
    used = {name: quantity.used for name, quantity in basis.ledger.known.items()}
    draws = Draws(used, count, seed, streams)
    horizon = Horizon(case.finance.horizon_months, case.finance.rate, case.finance.timing)
    options, nothing = weights_of(case)
    best = options[[option.kind for option in case.proposals].index("recommended")]
    drawn, cash = simulate(flows, options, draws, horizon)
    return _Model(flows, draws, horizon, options, nothing, best, drawn, cash)


def _result(basis: _Basis, model: _Model, language: Language) -> CaseResult:
    case, draws, horizon = basis.case, model.draws, model.horizon
    stage = None
    if case.stage:
        paid = case.finance.month_of(case.stage.ends) + 1
        stage = min(max(paid, 0), horizon.months)
    options = tuple(
        outcomes.option_result(option, weights, model.drawn, cash, case.finance, stage)
        for option, weights, cash in zip(case.proposals, model.options, model.cash, strict=True)
    )
    npvs, own = model.npvs, list(model.options).index(model.best)
    columns = np.column_stack([np.zeros(draws.count), *npvs])
    driven = drivers(model.flows, model.best, draws, horizon, columns, own + 1)
    lines, previous = tuple(_lines(basis, model)), basis.previous
    ledger = basis.ledger.used_by(_users(model.flows))
    targets = promise.targets(case, basis.findings, previous, basis.day)
    return CaseResult(
        case=case,
        as_of=basis.day,
        language=language,
        draws=draws.count,
        seed=draws.seed,
        months=tuple(map(case.finance.month, range(horizon.months))),
        factor=basis.ledger.factor,
        options=options,
        nothing=outcomes.nothing_result(model.nothing, model.drawn, draws.count, horizon.months),
        differences=outcomes.differences([option.name for option in options], npvs),
        lines=lines,
        ledger=ledger,
        waterfall=outcomes.waterfall(model.best, model.drawn),
        base=driven.base,
        all_low=driven.all_low,
        drivers=driven.bars,
        evpi=driven.evpi,
        by_rate=tuple(_by_rate(case, model, npvs[own])),
        waiting=_waiting(case, model, npvs[own]),
        enabled=outcomes.enabled(model.drawn, model.best),
        targets=targets,
        previous=promise.compared(previous, case, options, lines, ledger) if previous else None,
        checks=checks(
            Defended(
                case=case,
                option=model.best,
                negative_again=options[own].negative_again,
                flows=model.flows,
                lines=lines,
                ledger=ledger,
                targets=targets,
                freed=_freed(basis),
            )
        ),
        cites=tuple(dict.fromkeys(run.id for run in basis.runs.values() if run.at_hand)),
        sources=tuple(dict.fromkeys(_sources(basis))),
    )


def _users(flows: Sequence[Flow]) -> dict[str, dict[str, None]]:
    """Return the lines that use each quantity, in order."""
    users: dict[str, dict[str, None]] = defaultdict(dict)
    for flow in flows:
        for name in flow.ids:
            users[name][flow.line] = None
    return users


def _lines(basis: _Basis, model: _Model) -> Iterator[Line]:
    """Give the benefits as the recommended option takes them, else as the first that does."""
    declared = {benefit.name: benefit for benefit in basis.case.benefits}
    known, draws = basis.ledger.known, model.draws
    for drawn in model.drawn:
        flow = drawn.flow
        parts = [option.parts.get(flow.name, 0.0) for option in (model.best, *model.options)]
        part = next((part for part in parts if part > 0), 0.0)
        if not part or (flow.cost and parts[0] <= 0):
            continue
        benefit = declared.get(flow.line)
        yield Line(
            name=flow.line,
            gain=flow.gain,
            kind=flow.kind,
            counted=flow.counted,
            grade=max(known[name].entry.grade for name in (*flow.amounts, *flow.money)),
            refs=flow.ids,
            quantity=outcomes.spread(part * total(flow.amounts, draws)),
            unit=known[flow.amounts[0]].entry.unit,
            value=outcomes.spread(part * amount(flow, draws)),
            present=outcomes.spread(part * drawn.present),
            shrunk=basis.lines.shrunk.get(flow.name),
            owner=benefit.owner if benefit else None,
            signed_by=benefit.signed_by if benefit else None,
        )


def _freed(basis: _Basis) -> dict[str, dict[str, float]]:
    """Return the mean hours a year at full use that each line frees of each role."""
    freed: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in basis.case.benefits:
        for finding in basis.findings:
            if finding.cited in line.evidence and finding.evidence.unit == "hours":
                hours = basis.ledger.known[finding.id].used.mean
                freed[finding.evidence.population][line.name] += hours
    return freed


def _by_rate(case: Case, model: _Model, npvs: Values) -> Iterator[AtRate]:
    """Give mean NPV and P(NPV > 0) at the case's rates.

    From some of the draws, as differences to the same draws of the NPV itself.
    """
    rates = sorted({*case.finance.rates, case.finance.rate})
    some, own = model.draws.part(_SOME), npvs[_SOME]
    others = net(model.flows, model.best, some, model.horizon, rates=rates)
    for rate, other in zip(rates, others, strict=True):
        gained = float((other > 0).mean() - (own > 0).mean())
        chance = min(max(float((npvs > 0).mean()) + gained, 0.0), 1.0)
        yield AtRate(rate, float(npvs.mean() + (other - own).mean()), chance)


def _waiting(case: Case, model: _Model, npvs: Values) -> float:
    """Return the mean NPV that is lost when all starts later.

    The end of the horizon stays where it is, and doing nothing goes on until then.
    """
    some, wait = model.draws.part(_SOME), case.finance.wait_months
    later = net(model.flows, model.best, some, model.horizon, wait=wait)
    return float((npvs[_SOME] - later).mean())


def _sources(basis: _Basis) -> Iterator[SourceFile]:
    """Give the files behind the case, by name and hash; one that is gone has none."""
    for path in (*filter(None, [basis.case.file]), *(run.file for run in basis.runs.values())):
        yield SourceFile(workspace.shown(path), workspace.sha256(path), 1)
    for (name, _), path in files_of(basis.case, basis.findings).items():
        there = workspace.is_there(path, file=True)
        shown, sha256 = (workspace.shown(path), workspace.sha256(path)) if there else (name, None)
        yield SourceFile(shown, sha256, 1)
