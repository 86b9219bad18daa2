"""The assembly of a case: what it cites, what is drawn of it, what that comes to, its checks."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from opslab import workspace
from opslab.businesscase import outcomes, promise
from opslab.businesscase.cashflow import cash_flow, weights_of
from opslab.businesscase.checks import checks
from opslab.businesscase.citations import dated, findings_given, findings_of, runs_of
from opslab.businesscase.claims import claimed_role
from opslab.businesscase.contradictions import refuse, refuse_contradictions
from opslab.businesscase.declarations import Benefit
from opslab.businesscase.drivers import drivers
from opslab.businesscase.ledger import files_of, names_twice, prepare
from opslab.businesscase.lengths import Length
from opslab.businesscase.options import AtHorizon, AtRate, OptionResult, Party, RiskCost
from opslab.businesscase.quantities import Draws
from opslab.businesscase.result import CaseResult, Factor, Line, Role
from opslab.businesscase.simulation import (
    RISK,
    Flow,
    Horizon,
    Weights,
    amount,
    net,
    simulate,
    units,
)
from opslab.businesscase.spec import Case
from opslab.businesscase.verdict import choose
from opslab.errors import InputError, ParameterError, refuse_unknown
from opslab.evidence import Evidence, SourceFile
from opslab.filed_runs import Run
from opslab.messages import Bilingual, Language, spoken
from opslab.results import Message
from opslab.uncertainty.distributions import Values

_FEWEST = 1_000  # draws
_SOME = slice(5_000)  # draws for what is told beside the NPV
_MONEY_ROLES: tuple[Role, ...] = ("worth", "volume", "share")


def build(
    case: Case,
    evidence: Mapping[str, Sequence[Evidence]] | None = None,
    *,
    runs: str | Path | None = None,
    as_of: datetime.date | None = None,
    draws: int = 100_000,
    seed: int = 1,
    language: Language = "en",
    length: Length = "full",
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
    draws, seed : int
        At least 1,000 draws; the Monte Carlo error goes with their root.
    language : {"en", "fr"}
        In which the result shows itself.
    length : {"one_page", "three_pages", "full"}
        How much of it the result shows.

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
    return _Drawn(basis, draws, seed).result(language=language, length=length)


def without(result: CaseResult, names: Sequence[str]) -> CaseResult:
    """Return a case on the same draws without lines; see `CaseResult.without`."""
    basis = copy(result.basis)
    basis.line_up({*basis.left, *names})
    asked = (*result.asked, Message("explore.without", {"names": [*names]}))
    shown = {"language": result.language, "length": result.length}
    return _Drawn(basis, result.draws, result.seed).result(asked=asked, **shown)


def npvs(result: CaseResult) -> dict[str, Values]:
    """Return the NPV of each option in each draw; see `CaseResult.drawn`."""
    drawn = _Drawn(result.basis, result.draws, result.seed)
    named = zip(drawn.options, drawn.totals, strict=True)
    return {spoken(option.name, result.language): total.npv for option, total in named}


class _Basis:
    """What a case stands on: cited runs, what they found, every quantity, the lines of its cash."""

    def __init__(
        self,
        case: Case,
        day: datetime.date,
        evidence: Mapping[str, Sequence[Evidence]] | None,
        reports: str | Path | None,
    ) -> None:
        self.day, self.runs = day, dict[str, Run]()
        if evidence is None or case.previous:
            folder = workspace.resolve(reports) if reports else workspace.reports()
            self.runs = runs_of(case, folder, day)
        self.findings = (
            findings_of(case, self.runs) if evidence is None else findings_given(case, evidence)
        )
        self.case = case = dated(case, self.findings)
        self.ledger = prepare(case, self.findings, day)
        refuse([*names_twice(case, self.findings), *promise.unmeasurable(case, self.findings)])
        self.line_up(())

    def line_up(self, left: Collection[str]) -> None:
        """Draw up the lines of the cash flow, without those that are left out."""
        self.left, self.lines = left, cash_flow(self.case, self.findings, self.ledger.known)
        refuse(self.lines.problems)
        refuse_unknown(left, dict.fromkeys(flow.line for flow in self.lines.flows))
        self.lines.flows[:] = [flow for flow in self.lines.flows if flow.line not in left]
        if not self.lines.flows:
            raise ParameterError.of("explore.nothing_left")

    @property
    def previous(self) -> Run | None:
        """The last case."""
        return self.runs.get(self.case.previous or "")

    def freed(self) -> dict[str, dict[str, float]]:
        """Return the mean hours a year at full use that each line frees of each role.

        Stated hours are of the role that they claim, else of who gains them; of nobody, an empty
        text, where neither is said.
        """
        freed: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        population = {finding.id: finding.evidence.population for finding in self.findings}
        whose = {
            line.name: claimed_role(line) or line.gained_by or "" for line in self.case.benefits
        }
        for flow in self.lines.flows:
            for name in flow.amounts if flow.hours else ():
                role = population.get(name, whose[flow.line])
                freed[role][flow.line] += self.ledger.known[name].used.mean
        return freed

    def roles(self, line: str, freed: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Return the share of each role in the hours that a line frees."""
        hours = {role: lines[line] for role, lines in freed.items() if lines.get(line)}
        return {role: own / sum(hours.values()) for role, own in hours.items()}

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

    def result(self, **shown: Any) -> CaseResult:
        """Return what the case comes to, shown in a language and at a length."""
        case, basis, draws, count = self.case, self.basis, self.draws, self.draws.count
        months, ledger = self.horizon.months, basis.ledger.used_by(basis.users())
        npvs = [total.npv for total in self.totals]
        columns = np.column_stack([np.zeros(count), *npvs])
        driven = drivers(self.flows, self.best, draws, self.horizon, columns, self.total.npv)
        idle = outcomes.Totals(self.nothing, self.lines, count)
        options, lines, previous = self._options(idle), tuple(self._lines()), basis.previous
        names = [option.name for option in options]
        ruled = self.best.name, self.nothing.name, case.decision.rule
        wide = tuple(name for name in basis.users() if draws.missed(name))
        result = CaseResult(
            case=case,
            as_of=basis.day,
            draws=count,
            seed=draws.seed,
            months=tuple(map(case.finance.month, range(months))),
            factor=basis.ledger.factor,
            options=options,
            nothing=outcomes.nothing_result(self.nothing.name, idle, months),
            differences=outcomes.differences(names, npvs),
            choice=choose(
                dict(zip(names, npvs, strict=True)),
                *ruled,
                stage=case.stage is not None,
                unsure=bool(wide),
            ),
            wide=wide,
            lines=lines,
            ledger=ledger,
            waterfall=self.total.waterfall(),
            base=float(self.total.npv.mean()),
            all_low=driven.all_low,
            worst_together=driven.worst_together,
            parties=tuple(self._parties(lines)),
            risks=tuple(self._risks()),
            posts=tuple(basis.lines.posts),
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
            basis=basis,
        )
        return replace(result, checks=checks(result, basis.freed()), **shown)

    def _options(self, idle: outcomes.Totals) -> tuple[OptionResult, ...]:
        finance, months = self.case.finance, self.horizon.months
        years = (n for n in range(1, months) if finance.month(n).month == finance.fiscal_year)
        now = next(years, months)
        if stage := self.case.decision.stage:
            end = self.case.day_of(stage, end=True)
            now = min(max(finance.month_of(end) + 1, 0), months)
        costs = idle.money(months)[1:].sum(axis=0)
        results = []
        ways = zip(self.case.proposals, self.options, self.totals, self.cash, strict=True)
        for option, weights, total, cash in ways:
            later = tuple(self._later(weights, total.npv))
            context = outcomes.Context(self.horizon, finance, now, self._posts(total), later, costs)
            results.append(outcomes.option_result(option, total, cash, context))
        return tuple(results)

    def _later(self, option: Weights, npv: Values) -> Iterator[AtHorizon]:
        """Give the mean NPV over the usual horizons beyond the case's, its lines going on.

        From some of the draws, as differences to the same draws of the NPV itself.
        """
        some = self.draws.part(_SOME)
        for months in outcomes.HORIZONS:
            if months > self.horizon.months:
                longer = replace(self.horizon, months=months)
                gained = net(self.flows, option, some, longer) - npv[_SOME]
                yield AtHorizon(months, float(npv.mean() + gained.mean()))

    def _posts(self, total: outcomes.Totals) -> float | None:
        """Return the full posts that an option's mean hours are; None where a team is missing."""
        hours = {team.role: team.hours for team in self.case.teams}
        freed, posts = self.basis.freed(), 0.0
        for part, line in total.taken:
            if part < 0 or not line.flow.hours:
                continue
            roles = self.basis.roles(line.flow.line, freed)
            if not roles or not roles.keys() <= hours.keys():
                return None
            each = sum(share / hours[role] for role, share in roles.items())
            posts += part * float(line.hours.mean()) * each
        return posts

    def _parties(self, lines: Sequence[Line]) -> Iterator[Party]:
        """Give who gains and who pays in the recommended option; no name where none is given."""
        gains, pays = defaultdict[str, float](float), defaultdict[str, float](float)
        for line in lines:
            if line.counted and (line.ended or self.best.parts.get(line.name, 0.0) > 0):
                gains[line.gained_by or ""] += line.present.mean
        payers = {cost.name: cost.paid_by for cost in self.case.costs}
        for part, drawn in self.total.taken:
            if part < 0:
                pays[payers.get(drawn.flow.line) or ""] -= part * float(drawn.present.mean())
        for name in dict.fromkeys((*gains, *pays)):
            yield Party(name, gains[name], pays[name])

    def _risks(self) -> Iterator[RiskCost]:
        """Give the risks that the recommended option bears."""
        for part, line in self.total.taken:
            flow = line.flow
            if flow.name == RISK + flow.line:
                paid = outcomes.spread(amount(replace(flow, probability=None), self.draws))
                likely = self.basis.ledger.known[flow.probability or ""].used.mean
                yield RiskCost(flow.line, likely, paid, -part * float(line.present.mean()))

    def _lines(self) -> Iterator[Line]:
        """Give the benefits as the recommended option takes them, else as the first that does."""
        declared = {benefit.name: benefit for benefit in self.case.benefits}
        costs = {cost.name: cost for cost in self.case.costs}
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
                quantity=outcomes.spread(part * units(flow, self.draws)),
                unit=known[flow.amounts[0]].entry.unit,
                value=outcomes.spread(part * amount(flow, self.draws)),
                present=outcomes.spread(part * line.present),
                shrunk=self.basis.lines.shrunk.get(flow.name),
                owner=(benefit or costs[flow.line]).owner,
                signed_by=benefit.signed_by if benefit else None,
                factors=tuple(self._factors(flow, benefit, part)),
                ended=flow.cost,
                gained_by=self._gained_by(benefit) if benefit else costs[flow.line].paid_by,
            )

    def _gained_by(self, benefit: Benefit) -> str | None:
        """Return who gains: as said, else whose hours they are."""
        roles = self.basis.roles(benefit.name, self.basis.freed())
        return benefit.gained_by or Bilingual.joined(", ", [*roles]) or None

    def _factors(self, flow: Flow, benefit: Benefit | None, part: float) -> Iterator[Factor]:
        """Give what the line's value a year at full use is multiplied of, at the means."""
        known = self.basis.ledger.known
        hours = flow.posts or sum(known[name].used.mean for name in flow.amounts)
        yield Factor(flow.amounts[0], "amount", hours)
        adopted = flow.schedule[-1] if flow.schedule else flow.adoption
        shares: Mapping[Role, str | None] = {"adoption": adopted, "recapture": flow.recapture}
        named: Mapping[Role, str | None] = {
            role: getattr(benefit, role, None) for role in _MONEY_ROLES
        }
        for role, name in {**named, **shares}.items():
            if name:
                yield Factor(name, role, known[name].used.mean)
        shrunk = self.basis.lines.shrunk.get(flow.name, 1.0)
        for role, value in (("shrunk", shrunk), ("scale", flow.scale / (shrunk or 1.0))):
            if value != 1:
                yield Factor("", role, value)
        if part != 1:
            yield Factor("", "part", part)

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
        """Return the mean NPV lost when all starts later; doing nothing goes on, the end stays."""
        some, finance = self.draws.part(_SOME), self.case.finance
        later = net(self.flows, self.best, some, self.horizon, wait=finance.wait_months)
        return float((self.total.npv[_SOME] - later).mean())
