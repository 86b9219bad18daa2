"""Check by simulation that tests and intervals keep the rates they promise; write docs/validation.md."""

import argparse
import time
from pathlib import Path

from simulations import ERRORS_ALLOWED, SEED, Row
from validate_case import ranges
from validation_change import PARTS as CHANGE
from validation_checks import checks, decisions, empty_values, guardrails, outliers, sample_ratios
from validation_decisions import PARTS as DECISIONS
from validation_effects import covariates, lifts, means, non_inferiorities, proportions, quantiles
from validation_feedback import shares
from validation_feedback_contrasts import PARTS as FEEDBACK
from validation_flow import PARTS as FLOW
from validation_forecast import PARTS as FORECAST
from validation_gate import SHIPPED, STOPPED, Outcome, outcomes, splits
from validation_groups import clustered_quantiles, clusters, pairs, permutations, strata, totals
from validation_incidents import PARTS as INCIDENTS
from validation_lines import PARTS as LINES
from validation_parts import caps, segments, trends, triggers
from validation_program import PARTS as PROGRAM
from validation_sequential import PARTS as SEQUENTIAL
from validation_sequential import section
from validation_series import PARTS as SERIES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"


def page(rows: list[Row], gate: list[Outcome], looks: list[Row], experiments: int) -> str:
    """Return the Markdown page."""
    missed = [
        row
        for row in (*rows, *looks)
        if "too much" in row.verdict and "(not used)" not in row.method
    ]
    worst = "\n".join(
        f"- **{row.method}**, {row.situation}: {row.promise} {row.rate:.2%} instead of {row.nominal:.1%} "
        f"({row.why or 'unexplained'})."
        for row in missed
    )
    table = "\n".join(row.line() for row in rows)
    let_through = "\n".join(outcome.line() for outcome in gate)
    return f"""# Do the tests and intervals keep their promises?

A 95 % interval promises to hold the true value in 95 of 100 experiments. A test at .05 promises a false
alarm in 5 of 100 experiments without an effect. This page checks the promises on made-up experiments whose
truth is known, by calling the very functions that the readouts call.

How to read the table:

- **coverage**: share of experiments whose interval held the true value; more is cautious, less is too bold.
- **false alarms**: share of experiments without an effect (for non-inferiority: with a loss equal to the
  margin; for the sample ratio: with a working assignment) that were flagged all the same.
- **±**: one standard error of the simulation, at the promised rate. "Within error" means within
  {ERRORS_ALLOWED} of them.
- **all outcomes**: nothing is simulated; each possible pair of counts enters with its probability, so the
  rate is exact. Counts come in steps, so such a rate never equals the promise to the last digit.
- **told**: the rate differs from the promise. *Cautious* costs some power; *promises too much* is the
  dangerous side.
- **(not used)**: what a naive analysis would have said, beside what a readout says.
- **warnings, found, power**: how often something is flagged for which no rate is promised.
- **refused**: "not estimable", with its reason in the readout; such experiments are counted apart.

## Where a method promises too much

{worst or "Nowhere in these situations."}

What to make of it:

- A heavy tail with few units can break a method that rests on the mean. With equal arms the skew of the
  two arms cancels and the test errs on the cautious side; with unequal arms it does not cancel. Cap the
  metric, or give the arms equal shares.
- Never divide the limits of a difference by the control mean to get the limits of a lift: the interval is
  too short, and the larger the true lift, the worse.
- Small counts of a proportion move in steps: an exact 95 % does not exist there, and the score methods stay
  near it on average rather than always above it.
- Rows are not units. Taking them for units turned every second harmless change into a "find". With units as
  clusters the rate is right with 100 units an arm; with 20 or fewer of unequal sizes it is too high for a
  ratio per row, and the permutation test that stands beside it keeps its promise.
- Totals by day know of an effect only through the days: where the arms' differences last for several days,
  as after an outage in one arm, no method can tell from totals alone.
- A segment with few units and a long tail is a coin that someone will toss eight times: cap the metric.
- A theme's share is told for the messages as they are sorted until people have judged a sample of them:
  the interval without judges does not know of errors of sorting, and misses the truth where a theme takes
  in, or loses, more than the unsorted leave open.
- The trend since exposure is one of units, not of shares: where use itself falls, a steady lift fades in
  units.
- Programs: the spread of true lifts is itself estimated, so that with ten tests the interval of the next one
  is too short. A win's own interval is the winner's curse; its shrunk one is not.
- Flow: finished tickets alone say that work is quicker than it is, since what takes long is still open. With
  open ones as censored, cancelled ones as competing and older ones from the day on which they are first seen,
  the percentiles keep their promise. Shares of time come from six stretches of weeks, widened for what wanders
  longer than those: they hold in nine cases of ten and more from twelve weeks on. A status short of capacity by
  a sixth is named after a year in nine cases of ten, after half a year in seven.
- Feedback: messages of one customer are not independent. Taking them for it found something false in nine
  studies of ten; counting each customer once is cautious where few write much. Weekly counts vary more than
  Poisson's: so taken, every second study has a theme that seems to change.
- Incidents of feedback: the rate that is stated, 4 in a year of watching all themes, is counted for each day that is
  watched. Tests are cautious where few days tell how much counts vary; where shares sway by 30 % and go together from
  day to day, or few days have themes of very unlike variance, there are more false alarms than stated.
- Forecasts: how much is done in a usual week is itself estimated. Drawn from twelve weeks as they stand, what
  is said with 85 % holds in three cases of four; each future that first draws a past of its own keeps the
  promise. Where busy weeks follow busy weeks, blocks of two see part of it: 80 to 82 % hold, and 72 to 80 % of
  what is drawn from the past as it stands. Longer blocks need a longer past.
- Dates: what slips far is known late. Of the last targets before a file ends only those that held have come,
  so that intervals look cautious there, and bold where delays grow.
- Decisions: a Brier score's interval holds from twenty forecasts on, but not where nearly all come true: of twenty
  so sure it holds in three cases of four. The overlap of people holds in nine cases of ten and more from ten people
  on; to let people who are drawn twice agree with themselves would make it too sure where they agree least.
- Measured change: with one start the t of the teams' own changes keeps 95 % from 6 teams on, and for a single team
  with the change too; with several starts and up to 12 teams it is cautious (97 to 99 %). Leaving out a team at a time
  misses the truth in one case of seven where two teams of 24 have the change, and clustered errors find something
  false in every second panel where one has it. Where the worst were chosen by the weeks that serve as baseline the comparison
  is bold too, the more so the more teams tell it (88 % of 40): those weeks are to be left out, and then it holds.
  Before and after showed 32 to 33 % where the change saved 14 %.
- One group over time: intervals of Newey-West's errors, with the usual lag, hold in 59 to 92 of 100 series up to a
  correlation of .7, two years of weeks among them. The interval of a readout averages over all correlations of
  neighbours that the residuals leave open: it is cautious with few periods that hardly correlate, and holds its
  promise up to a correlation of .4 from 16 periods on, of .7 from 34 (24: 93 of 100; 16: 90), of .9 from 104 (52: 89;
  24: 83). Fewer periods do not even show so strong a correlation. Whatever else happened is in no interval.

## What the gate lets through

Whole experiments, analysed as a user does it (`experiments.analyze` on a table): how often they end in
"ship" without a condition, in "ship" on a condition, and how often a check stops them. None of them has an
effect on the outcome unless it says so. "At most" is the upper 95 % bound of the rate (Clopper and Pearson).

- Data that is *sound* may ship in alpha / 2 = {SHIPPED:.1%} of experiments without an effect, and be stopped in at
  most {STOPPED:.1%}.
- Data that is *broken* never ships: the bound of the rate is at most {STOPPED:.1%}. Where a fault leaves an effect
  that an analyst can judge (a few bots), shipping on a condition that names the fault is right.
- Of the rest nothing is promised: it shows what no check can see.

| experiment | experiments | ships | ships on a condition | stopped | right | verdict |
|---|---|---|---|---|---|---|
{let_through}

{section(looks)}

## The table

| method | situation | experiments | what is counted | found | promised | verdict |
|---|---|---|---|---|---|---|
{table}

## Make this page again

`make validation`, which runs `python benchmarks/validation.py --experiments {experiments}`. The seed is
fixed ({SEED}), each situation has its own random numbers, and the same versions of the libraries give the
same page.
"""


PARTS = (
    means,
    lifts,
    proportions,
    covariates,
    quantiles,
    caps,
    empty_values,
    pairs,
    strata,
    clusters,
    permutations,
    clustered_quantiles,
    totals,
    segments,
    trends,
    triggers,
    sample_ratios,
    splits,
    checks,
    outliers,
    decisions,
    non_inferiorities,
    guardrails,
    ranges,
    shares,
    *FEEDBACK,
    *INCIDENTS,
    *PROGRAM,
    *FLOW,
    *LINES,
    *FORECAST,
    *DECISIONS,
    *CHANGE,
    *SERIES,
)


def main() -> None:
    """Run all situations and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--experiments", type=int, default=10_000, help="simulated experiments per situation"
    )
    experiments = parser.parse_args().experiments
    gate: list[Outcome] = []
    for outcome in outcomes(max(experiments // 5, 1)):
        print(outcome.line(), flush=True)
        gate.append(outcome)
    rows = [row for outcome in gate if (row := outcome.coverage())]
    looks: list[Row] = []
    for part in (*PARTS, *SEQUENTIAL):
        started = time.process_time()
        for row in part(experiments):
            print(row.line(), flush=True)
            (looks if part in SEQUENTIAL else rows).append(row)
        print(f"{part.__name__}: {time.process_time() - started:.0f} s of CPU", flush=True)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(rows, gate, looks, experiments), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
