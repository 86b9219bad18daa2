"""The figures of a readout: reached by name, told in words, coloured by what they mean."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text

from opslab import experiments, workspace
from opslab.messages import Bilingual
from opslab.messages.numbers import Numbers
from opslab.report.figures import BLUE, GREEN, GREY, RED

SAMPLES = ("checkout", "newsletter", "onboarding", "search_ranking")


@pytest.fixture(scope="module")
def results():
    loaded = {
        name: experiments.Experiment.load(workspace.resolve(f"data/sample/{name}.yaml"))
        for name in SAMPLES
    }
    return {
        name: experiments.analyze(spec, as_of=spec.last_day, language="fr")
        for name, spec in loaded.items()
    }


def words(figure):
    figure.svg()  # labels of ticks are written when it is drawn
    return [text.get_text() for text in figure.drawing.findobj(Text) if text.get_text()]


def colours(figure):
    return {line.get_color() for line in figure.drawing.findobj(Line2D) if line.get_marker() == "o"}


def test_each_figure_has_a_name(results):
    assert list(results["checkout"].figures) == ["size", "lift", "segments", "days"]
    names = list(results["onboarding"].figures)
    assert names == ["size", "lift", "trend/spend 14 days/checklist", "days"]
    with pytest.raises(KeyError, match="Did you mean 'segments'"):
        _ = results["checkout"].figures["segment"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_alt_texts_carry_every_number(results, language):
    say = Numbers(language)
    for result in results.values():
        alt = result.figures(language)["lift"].alt
        for comparison in result.comparisons:
            for change in (comparison.lift, *comparison.lift_interval):
                assert say.signed_percent(change) in alt
    trend = results["onboarding"].trends[0]
    alt = results["onboarding"].figures(language)["trend/spend 14 days/checklist"].alt
    assert len(trend.spans) == 14
    for span in trend.spans:
        for change in (span.difference, span.low, span.high):
            assert say.signed_number(change) in alt
    segments = results["checkout"].figures(language)["segments"].alt
    inside = [one for one in results["checkout"].segments if one.metric == "checkout"]
    assert len(inside) == 7
    for comparison in inside:
        assert comparison.segment in segments
        assert say.signed_percent(comparison.lift) in segments


def test_a_colour_says_what_a_line_means(results):
    assert colours(results["newsletter"].figures["lift"]) == {GREEN, BLUE, RED}
    assert colours(results["checkout"].figures["segments"]) == {BLUE}
    assert results["search_ranking"].broken
    assert colours(results["search_ranking"].figures["lift"]) == {GREY}


def test_several_arms_stand_under_their_metric(results):
    said = words(results["newsletter"].figures["lift"])
    assert said.count("personal") == said.count("urgent") == 3
    assert [said.count(name) for name in ("clicked", "spend", "unsubscribed")] == [1, 1, 1]


def test_a_trend_is_written_as_its_reader_writes(results):
    said = words(results["onboarding"].figures["trend/spend 14 days/checklist"])
    assert {"0", "1", "13", "+0,5"} <= set(said)


def named(text):
    return Bilingual(f"EN{text}", french=f"FR{text}")


def both(comparison):
    names = {name: named(getattr(comparison, name)) for name in ("metric", "arm", "control")}
    segment = comparison.segment and named(comparison.segment)
    return replace(comparison, **names, segment=segment)


@pytest.mark.parametrize("name", SAMPLES)
def test_names_in_both_languages_are_told_in_the_readers(results, name):
    result = results[name]
    plan = replace(result.plan, title=named("title"), control=named(result.plan.control))
    tests = [
        replace(test, metric=named(test.metric), arm=named(test.arm), segment=named(test.segment))
        for test in result.interactions
    ]
    trends = [
        replace(trend, metric=named(trend.metric), arm=named(trend.arm)) for trend in result.trends
    ]
    result = replace(
        result,
        plan=plan,
        arms=tuple(replace(arm, name=named(arm.name)) for arm in result.arms),
        comparisons=tuple(map(both, result.comparisons)),
        segments=tuple(map(both, result.segments)),
        interactions=tuple(tests),
        trends=tuple(trends),
        decision=replace(result.decision, arm=result.decision.arm and named(result.decision.arm)),
    )
    blocks = [result.first_screen()]
    for part in result.PARTS:
        blocks += getattr(result, part).blocks()
    for block in blocks:
        said = [block._repr_html_()] if hasattr(block, "_repr_html_") else []
        said += [block.alt, *words(block)] if not said else []
        assert not any("EN" in text for text in said)
    assert any("FR" in text for text in words(result.figures["lift"]))
    assert "FRtitle" in result.first_screen()._repr_html_()
