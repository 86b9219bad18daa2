"""The assembly of a case: what it cites, what is drawn of it, what that comes to, its checks."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from opslab import workspace
from opslab.businesscase import outcomes, promise
from opslab.businesscase.cashflow import cash_flow, weights_of
from opslab.businesscase.checks import checks
from opslab.businesscase.citations import Run, findings_given, findings_of, runs_of
from opslab.businesscase.contradictions import refuse, refuse_contradictions
from opslab.businesscase.drivers import drivers
from opslab.businesscase.ledger import files_of, names_twice, prepare
from opslab.businesscase.options import AtRate, OptionResult
from opslab.businesscase.quantities import Draws
from opslab.businesscase.result import CaseResult, Line
from opslab.businesscase.simulation import Horizon, amount, net, simulate, total
from opslab.businesscase.spec import Case
from opslab.errors import InputError
from opslab.evidence import Evidence, SourceFile
from opslab.messages import Language

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
    'stage'
    """
    refuse_contradictions(case)
    if draws < _FEWEST or seed < 0:
        raise InputError.of("businesscase.draws", draws=draws, least=_FEWEST, seed=seed)
    basis = _Basis(case, as_of or case.date, evidence, runs)
    result = _Drawn(basis, draws, seed).result()
    return replace(result, checks=checks(result, basis.freed()), language=language)


def files(case: Case, day: datetime.date) -> tuple[Path, ...]:
    """Return every file that a case stands on: its own, cited records, those behind its numbers."""
    runs = runs_of(case, workspace.reports(), day)
    behind = files_of(case, findings_of(case, runs)).values()
    every = [*filter(None, [case.file]), *(run.file for run in runs.values())]
    every += [path for path in behind if workspace.is_there(path, file=True)]
    return tuple(dict.fromkeys(every))


class _Basis:
    """What a case stands on: cited runs, what they found, every quantity, the lines of its cash."""

    def __init__(
        self,
        case: Case,
        day: datetime.date,
        evidence: Mapping[str, Sequence[Evidence]] | None,
        reports: str | Path | None,
    ) -> None:
        self.case, self.day, self.runs = case, day, dict[str, Run]()
        if evidence is None or case.previous:
            folder = workspace.resolve(reports) if reports else workspace.reports()
            self.runs = runs_of(case, folder, day)
        self.findings = (
            findings_of(case, self.runs) if evidence is None else findings_given(case, evidence)
        )
        self.ledger = prepare(case, self.findings, day)
        self.lines = cash_flow(case, self.findings, self.ledger.known)
        refuse(
            [
                *names_twice(case, self.findings),
                *promise.unmeasurable(case, self.findings),
                *self.lines.problems,
            ]
        )

    @property
    def previous(self) -> Run | None:
        """The last case."""
        return self.runs.get(self.case.previous or "")

    def freed(self) -> dict[str, dict[str, float]]:
        """Return the mean hours a year at full use that each line frees of each role."""
        freed: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for line in self.case.benefits:
            for finding in self.findings:
                if finding.cited in line.evidence and finding.evidence.unit == "hours":
                    hours = self.ledger.known[finding.id].used.mean
                    freed[finding.evidence.population][line.name] += hours
        return freed

    def users(self) -> dict[str, dict[str, None]]:
        """Return the lines that use each quantity, in order."""
        users: dict[str, dict[str, None]] = defaultdict(dict)
        for flow in self.lines.flows:
            for name in flow.ids:
                users[name][flow.line] = None
        return users

    def sources(self) -> Iterator[SourceFile]:
        """Give the files behind the case, by name and hash; one that is gone has none."""
        for path in (*filter(None, [self.case.file]), *(run.file for run in self.runs.values())):
            yield SourceFile(workspace.shown(path), workspace.sha256(path), 1)
        for (name, _), path in files_of(self.case, self.findings).items():
            there = workspace.is_there(path, file=True)
            shown = workspace.shown(path) if there else name
            yield SourceFile(shown, workspace.sha256(path) if there else None, 1)


class _Drawn:
    """The cash flow, drawn: its lines, and the options on the same draws."""

    def __init__(self, basis: _Basis, count: int, seed: int) -> None:
        self.basis, self.case, self.flows = basis, basis.case, basis.lines.flows
        finance, proposals = self.case.finance, self.case.proposals
        streams = {finding.id: f"evidence/{finding.evidence.id}" for finding in basis.findings}
        used = {name: quantity.used for name, quantity in basis.ledger.known.items()}
        self.draws = Draws(used, count, seed, streams)
        self.horizon = Horizon(finance.horizon_months, finance.rate, finance.timing)
        self.options, self.nothing = weights_of(self.case)
        self.lines, self.cash = simulate(self.flows, self.options, self.draws, self.horizon)
        self.totals = [outcomes.Totals(option, self.lines, count) for option in self.options]
        own = [option.kind for option in proposals].index("recommended")
        self.best, self.total = self.options[own], self.totals[own]

    def result(self) -> CaseResult:
        """Return what the case comes to, its checks still to be made."""
        case, basis, draws, count = self.case, self.basis, self.draws, self.draws.count
        months, ledger = self.horizon.months, basis.ledger.used_by(basis.users())
        npvs = [total.npv for total in self.totals]
        columns = np.column_stack([np.zeros(count), *npvs])
        driven = drivers(self.flows, self.best, draws, self.horizon, columns, self.total.npv)
        options, lines, previous = self._options(), tuple(self._lines()), basis.previous
        return CaseResult(
            case=case,
            as_of=basis.day,
            draws=count,
            seed=draws.seed,
            months=tuple(map(case.finance.month, range(months))),
            factor=basis.ledger.factor,
            options=options,
            nothing=outcomes.nothing_result(self.nothing, self.lines, count, months),
            differences=outcomes.differences([option.name for option in options], npvs),
            lines=lines,
            ledger=ledger,
            waterfall=self.total.waterfall(),
            base=driven.base,
            all_low=driven.all_low,
            drivers=driven.bars,
            evpi=driven.evpi,
            by_rate=tuple(self._by_rate()),
            waiting=self._waiting(),
            enabled=outcomes.enabled(self.lines, self.best),
            targets=promise.targets(case, basis.findings, previous, basis.day),
            previous=promise.compared(previous, case, options, lines, ledger) if previous else None,
            checks=(),
            cites=tuple(dict.fromkeys(run.id for run in basis.runs.values() if run.at_hand)),
            sources=tuple(dict.fromkeys(basis.sources())),
        )

    def _options(self) -> tuple[OptionResult, ...]:
        finance, stage = self.case.finance, None
        if self.case.stage:
            paid = finance.month_of(self.case.stage.ends) + 1
            stage = min(max(paid, 0), self.horizon.months)
        return tuple(
            outcomes.option_result(option, total, cash, finance, stage)
            for option, total, cash in zip(self.case.proposals, self.totals, self.cash, strict=True)
        )

    def _lines(self) -> Iterator[Line]:
        """Give the benefits as the recommended option takes them, else as the first that does."""
        declared = {benefit.name: benefit for benefit in self.case.benefits}
        known = self.basis.ledger.known
        for line in self.lines:
            flow = line.flow
            parts = [option.parts.get(flow.name, 0.0) for option in (self.best, *self.options)]
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
                quantity=outcomes.spread(part * total(flow.amounts, self.draws)),
                unit=known[flow.amounts[0]].entry.unit,
                value=outcomes.spread(part * amount(flow, self.draws)),
                present=outcomes.spread(part * line.present),
                shrunk=self.basis.lines.shrunk.get(flow.name),
                owner=benefit.owner if benefit else None,
                signed_by=benefit.signed_by if benefit else None,
            )

    def _by_rate(self) -> Iterator[AtRate]:
        """Give mean NPV and P(NPV > 0) at the case's rates.

        From some of the draws, as differences to the same draws of the NPV itself.
        """
        finance, npv = self.case.finance, self.total.npv
        rates = sorted({*finance.rates, finance.rate})
        some = self.draws.part(_SOME)
        others = net(self.flows, self.best, some, self.horizon, rates=rates)
        for rate, other in zip(rates, others, strict=True):
            gained = float((other > 0).mean() - (npv[_SOME] > 0).mean())
            chance = min(max(float((npv > 0).mean()) + gained, 0.0), 1.0)
            yield AtRate(rate, float(npv.mean() + (other - npv[_SOME]).mean()), chance)

    def _waiting(self) -> float:
        """Return the mean NPV that is lost when all starts later.

        The end of the horizon stays where it is, and doing nothing goes on until then.
        """
        some, wait = self.draws.part(_SOME), self.case.finance.wait_months
        later = net(self.flows, self.best, some, self.horizon, wait=wait)
        return float((self.total.npv[_SOME] - later).mean())
