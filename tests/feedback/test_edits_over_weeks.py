"""People's edits over weeks of small real-like texts: applied again, kept, taken back."""

import datetime

import numpy as np
import pandas as pd
import pytest

from opslab import feedback
from opslab.errors import InputError
from opslab.feedback.parts import is_part, whole, with_parts
from opslab.feedback.registry.state import Registry

SAID = {
    "parcel": (
        "My parcel is late",
        "The parcel arrived a week late",
        "Where is my parcel, it is late",
        "Delivery of the parcel took two weeks",
        "My parcel never arrived on time",
        "The courier lost my parcel",
        "The delivery is always late",
        "Late delivery again",
    ),
    "refund": (
        "I want a refund",
        "The refund was never paid",
        "My refund takes too long",
        "No refund after a month",
        "Refund still missing on my account",
        "When will I get my refund",
        "The refund amount is wrong",
        "Refund refused without a reason",
    ),
    "login": (
        "I cannot log in",
        "Login fails with my password",
        "The password reset does not work",
        "I am locked out of my account",
        "The login page shows an error",
        "My password is refused at login",
        "Cannot sign in since the update",
        "Sign in loops back to the login page",
    ),
    "dark": (
        "Please add a dark mode",
        "A dark theme would be great",
        "Dark mode for the app please",
        "I wish there were a dark mode",
        "The white screen hurts at night, add dark mode",
        "Dark mode is missing",
        "Could you add a dark theme",
        "A dark mode would help my eyes",
    ),
}
ENDS = ("", "!", " today")
TEAMS = {"logistics": ("where is my parcel",), "accounts": ("I cannot log in",)}


def texts(*kinds, ends=ENDS):
    return [said + end for kind in kinds or SAID for said in SAID[kind] for end in ends]


def week(number):
    return datetime.date(2026, 9, 7) + datetime.timedelta(days=7 * number)


@pytest.fixture(scope="module")
def first():
    return feedback.find_themes(texts(), as_of=week(0))


@pytest.fixture
def names(first):
    """The id of each kind's theme."""
    labels = dict(zip(texts(), first.labels, strict=True))
    ids = {kind: {labels[said + end] for said in SAID[kind] for end in ENDS} for kind in SAID}
    return {
        kind: max(sorted(filter(None, several)), key=[*labels.values()].count)
        for kind, several in ids.items()
    }


@pytest.fixture
def run(tmp_path):
    """Return what runs a week with a file of edits, from the registry of the week before."""

    def run(number, before, content="", kinds=(), **fields):
        (tmp_path / "themes.yaml").write_text(content, encoding="utf-8")
        path = str(tmp_path / "themes.yaml")
        study = feedback.Study(study="s", teams=TEAMS, **{"edits": path, **fields})
        registry = before and before.registry
        return feedback.find_themes(texts(*kinds), study, registry=registry, as_of=week(number))

    return run


def sizes(result):
    return {theme.id: theme.messages for theme in result.themes}


def shown(result, language="en"):
    """Return what the page says of what people changed."""
    blocks = result.room("presentation").themes(result, result.voice(language))
    return " ".join(str(getattr(block, "text", "")) for block in blocks)


def test_edits_survive_weeks_and_are_taken_back(first, names, run):
    """Three weeks with them, in the second of which a theme is away; then one without."""
    parcel, refund, login, dark = (names[kind] for kind in SAID)
    content = (
        f"rename: {{{parcel}: {{en: Late parcels, fr: Colis en retard}}}}\n"
        f"split: {{{dark}: 2}}\npin: [{parcel}]\nexclude: [{refund}]\n"
        f"route: {{{parcel}: accounts}}\n"
    )
    second = run(1, first, content)
    third = run(2, second, content, kinds=("parcel", "login", "dark"))
    fourth = run(3, third, content)
    parts = {f"{dark}a", f"{dark}b"}
    for result in (second, third, fourth):
        assert {parcel, login, *parts} == {*sizes(result)}
        assert result.theme(parcel).called("en") == "Late parcels"
        assert result.theme(parcel).route.team == "accounts"
        assert result.registry.theme(dark).status == "split"
        assert result.registry.theme(f"{dark}a").parents == (dark,)
        assert [result.theme(part).title for part in sorted(parts)] == [
            second.theme(part).title for part in sorted(parts)
        ]
    assert [note.key for note in third.edits.notes] == ["feedback.edits_dormant"]
    assert f"{refund} (" in shown(third)
    assert shown(third, "fr").count("jusqu'à son retour") == 1
    assert second.edits.notes == fourth.edits.notes == []
    assert second.labels == fourth.labels  # the same texts, in the same parts
    fifth = run(4, fourth)
    assert {*sizes(fifth)} == {*names.values()}
    assert fifth.registry.theme(dark).status == "active"
    assert fifth.registry.theme(f"{dark}a").status == "merged"
    assert fifth.registry.theme(f"{dark}a").into == dark
    sixth = run(5, fifth, content)
    assert sixth.labels == second.labels  # and the parts are those that they were
    kinds = [(event.kind, event.theme) for event in sixth.registry.ledger if event.kind != "born"]
    divided, joined = ("split", dark), [("merged", f"{dark}{letter}") for letter in "ab"]
    assert [kind for kind in kinds if kind[0] in {"split", "merged"}] == [
        divided,
        *joined,
        divided,
    ]
    numbers = {each.id for each in sixth.registry.themes}
    assert numbers == {*names.values(), *parts}


def test_an_excluded_theme_is_counted_and_is_nowhere_else(first, names, run):
    refund = names["refund"]
    plain, result = run(1, first), run(1, first, f"exclude: [{refund}]\n")
    left = [each for each in result.assignments if each.main.reason == "excluded"]
    assert len(left) == plain.theme(refund).messages
    assert {each.main.theme for each in left} == {each.main.nearest for each in left} == {None}
    assert refund not in sizes(result)
    for frame in (result.frame(full=True), result.ranking, result.trends, result.severities):
        assert refund not in set(frame.get("theme", ()))
    documents = result.documents()
    assert f"theme-{refund.lower()}.html" not in documents
    assert b"in a theme that people excluded" in documents["theme-none.html"]
    assert plain.theme(refund).quotes[0].text.encode() not in documents["jira.csv"]
    record = result.record()
    assert record["messages"]["unsorted"]["excluded"] == len(left)
    others = {name: size for name, size in sizes(plain).items() if name != refund}
    assert sizes(result) == others
    for theme in result.themes:
        assert (theme.share, theme.interval) == (
            plain.theme(theme.id).share,
            plain.theme(theme.id).interval,
        )
    counted = len(result.assignments) - len(left)  # what belongs nowhere is not left over
    assert result.check("coverage").value == result.sorted / counted
    assert f"Excluded by hand: {plain.theme(refund).title}" in shown(result)


def test_all_themes_may_be_excluded(first, names, run):
    plain, result = run(1, first), run(1, first, f"exclude: [{', '.join(names.values())}]\n")
    assert result.themes == ()
    assert result.record()["messages"]["unsorted"]["excluded"] == plain.sorted
    assert result.documents()
    assert result.headline("fr")


def test_a_merge_is_undone_by_taking_it_out(first, names, run):
    parcel, refund = names["parcel"], names["refund"]
    plain = run(1, first)
    merged = run(1, first, f"merge: {{{refund}: {parcel}}}\n")
    assert refund not in sizes(merged)
    assert sizes(merged)[parcel] == sizes(plain)[parcel] + sizes(plain)[refund]
    assert merged.registry.theme(refund).status == "active"
    assert sizes(run(2, merged)) == sizes(run(2, plain))


def test_the_sheet_of_a_run_read_back_changes_nothing(first, names, run, tmp_path):
    """Then a cell is changed: only that changes."""
    parcel, refund, login, dark = (names[kind] for kind in SAID)
    content = (
        f"rename: {{{parcel}: '=Late(parcels)', {login}: {{en: Sign-in, fr: \"Connexion à l'appli\"}}}}\n"
        f"split: {{{dark}: 2}}\n"
        f"merge: {{{dark}b: {login}}}\npin: [{parcel}]\nexclude: [{refund}]\n"
        f"route: {{{parcel}: accounts}}\n"
    )
    second = run(1, first, content)
    for name, where in (("themes.xlsx", "edits"), ("themes.csv", "audit")):
        (tmp_path / name).write_bytes(second.files()[name])
        again = run(1, first, **{"edits": None, where: str(tmp_path / name)})
        assert again.edits == second.edits
        assert again.labels == second.labels
        assert again.themes == second.themes
        assert again.tables()["themes"].equals(second.tables()["themes"])
    both = run(1, first, content, audit=str(tmp_path / "themes.xlsx"))
    assert both.edits == second.edits
    sheet = pd.read_csv(tmp_path / "themes.csv")
    sheet.loc[sheet["theme"] == login, "rename"] = "Log in"
    sheet.loc[sheet["theme"] == refund, "exclude"] = None
    sheet.to_csv(tmp_path / "themes.csv", index=False)
    third = run(2, second, edits=str(tmp_path / "themes.csv"))
    assert third.theme(login).called("en") == "Log in"
    assert third.theme(parcel).called("en") == "=Late(parcels)"
    assert {*sizes(third)} == {*sizes(second), refund}
    with pytest.raises(InputError, match=f"{login}: rename is “Log in” here"):
        run(2, second, content, audit=str(tmp_path / "themes.csv"))


def test_an_edit_goes_by_the_id_alone_once_a_run_knew_it(first, names, run, tmp_path):
    """The name on last week's sheet may be another one by now."""
    sheet = first.tables()["themes"].assign(name="another name")
    sheet.loc[sheet["theme"] == names["parcel"], "rename"] = "Late parcels"
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    own = {"edits": None, "audit": str(tmp_path / "sheet.csv")}
    result = run(1, first, **own)
    assert result.theme(names["parcel"]).title == "Late parcels"
    assert [note.key for note in result.edits.notes] == ["feedback.edits_unlike"]
    assert "“another name”" in shown(result)  # it may be the sheet of another study
    assert "« another name »" in shown(result, "fr").replace("\u202f", " ").replace("\xa0", " ")
    without = run(0, None, **own)
    assert (without.edits.stale, without.edits.names) == (1, {})


def test_a_first_run_takes_a_file_of_edits_by_its_ids(first, names, run):
    result = run(0, None, f"rename: {{{names['dark']}: Night}}\n")
    assert result.theme(names["dark"]).title == "Night"
    assert "which go by size" in shown(result)  # where runs before were lost, it may be another one
    assert "which go by size" not in shown(run(1, result, f"rename: {{{names['dark']}: Night}}\n"))
    with pytest.raises(InputError, match=r"line 1, rename\.T99"):
        run(0, None, "rename: {T99: Night}\n")


def test_messages_that_judges_move_to_an_excluded_theme_belong_nowhere(first, names, run, tmp_path):
    sheet = first.tables()["audit"]
    parcel, refund = names["parcel"], names["refund"]
    rows = sheet["theme"] == parcel
    sheet.loc[rows, "right"] = refund
    sheet.to_csv(tmp_path / "audit.csv", index=False)
    result = run(1, first, f"exclude: [{refund}]\n", audit=str(tmp_path / "audit.csv"))
    moved = {*sheet.loc[rows, "message"]}
    reasons = {each.main.reason for each in result.assignments if each.message.uid in moved}
    assert reasons == {"excluded"}


def test_routes_by_people_where_nothing_can_tell_teams_apart(tmp_path):
    """Word counts have no likeness to examples; people still know whose a theme is."""
    (tmp_path / "themes.yaml").write_text("route: {T01: logistics}\n")
    study = feedback.Study(
        study="s", teams=TEAMS, themes={"encoder": "lsa"}, edits=str(tmp_path / "themes.yaml")
    )
    result = feedback.find_themes(texts(), study)
    assert result.theme("T01").route.team == "logistics"
    assert {theme.route for theme in result.themes if theme.id != "T01"} <= {None}


def test_a_split_theme_is_whole_to_what_looks_for_themes(first, names, run):
    second = run(1, first, f"split: {{{names['login']}: 3}}\n")
    registry = second.registry
    machine = whole(registry)
    assert [each.id for each in machine.themes] == [each.id for each in first.registry.themes]
    assert {each.status for each in machine.themes} == {"active"}

    def owners(registry):
        ids = [*(each.id for each in registry.themes), None]
        return dict(zip(registry.keys.tolist(), (ids[at] for at in registry.owners), strict=True))

    held = owners(registry)
    assert {theme for theme in held.values() if theme and is_part(theme)}
    assert {key: theme and theme.rstrip("abc") for key, theme in held.items()} == owners(machine)
    assert Registry.of(registry.content(), "registry.json").content() == registry.content()
    assert whole(None) is None
    assert isinstance(second.registry.theme(f"{names['login']}c").centroid, np.ndarray)
    parts = [registry.theme(f"{names['login']}{letter}") for letter in "abc"]
    assert [part.messages for part in parts] == [
        sum(part.id in each.themes for each in second.assignments) for part in parts
    ]
    none = first.edits
    same = with_parts(machine, registry, none, {}, {}, (), np.empty((0, 2)), ())
    assert {same.theme(part.id).status for part in parts} == {"merged"}
    away = with_parts(machine, registry, second.edits, {}, {}, (), np.empty((0, 2)), ())
    assert {away.theme(part.id).status for part in parts} == {"dormant"}
    assert away.ledger == registry.ledger


def test_a_split_theme_that_is_away_for_a_week_has_its_parts_again(first, names, run):
    dark = names["dark"]
    content = f"split: {{{dark}: 2}}\n"
    second = run(1, first, content)
    third = run(2, second, content, kinds=("parcel", "refund", "login"))
    fourth = run(3, third, content)
    assert [note.key for note in third.edits.notes] == ["feedback.edits_dormant"]
    assert third.registry.theme(f"{dark}a").status == "dormant"
    parts = {f"{dark}a", f"{dark}b"}
    both = [pair for pair in zip(second.labels, fourth.labels, strict=True) if {*pair} <= parts]
    assert len(both) > 20
    assert all(before == after for before, after in both)
    divided = [event.others for event in fourth.registry.ledger if event.theme == dark]
    assert divided == [(), (f"{dark}a", f"{dark}b")]  # born, and split once
    more = {
        each.id: each.status for each in run(4, fourth, f"split: {{{dark}: 3}}\n").registry.themes
    }
    assert more[f"{dark}c"] == "active"


def test_parts_keep_their_letters_in_another_space(first, names, run):
    """Word counts have a new space each week, and the encoder comes back after them."""
    parcel = names["parcel"]
    content = f"split: {{{parcel}: 2}}\n"
    before = run(1, first, content)
    was = dict(zip(texts(), before.labels, strict=True))
    for week, encoder in enumerate(("lsa", "lsa", "universal"), 2):
        result = run(week, before, content, kinds=("parcel", "login"), themes={"encoder": encoder})
        now = dict(zip(texts("parcel"), result.labels, strict=False))
        parts = {f"{parcel}a", f"{parcel}b"}
        pairs = [(was[each], now[each]) for each in now if {was[each], now[each]} <= parts]
        assert len(pairs) >= 4
        assert np.mean([before == after for before, after in pairs]) > 0.7
        before, was = result, now


def test_a_part_without_messages_is_told(first, names, run):
    dark = names["dark"]
    content = f"split: {{{dark}: 2}}\n"
    second = run(1, first, content)
    here = [text for text, theme in zip(texts(), second.labels, strict=True) if theme != f"{dark}b"]
    study = second.study
    third = feedback.find_themes(here, study, registry=second.registry, as_of=week(2))
    assert f"{dark}b" not in sizes(third)
    assert [note.key for note in third.edits.notes] == ["feedback.edits_dormant"]
    assert f"'theme': '{dark}b'" in repr(third.edits.notes)
    assert f"{dark}b (" in shown(third)
    merged = run(2, second, content + f"merge: {{{dark}b: {dark}a}}\n")
    assert merged.edits.notes == []


def test_parts_that_were_taken_back_stay_in_their_theme_while_it_sleeps(first, names, run):
    """Else no run could read the registry again: only what is merged says into which theme."""
    login = names["login"]
    back = run(2, run(1, first, f"split: {{{login}: 3}}\n"))
    asleep = run(8, back, kinds=("parcel", "refund", "dark"))
    assert asleep.registry.theme(login).status == "dormant"
    fewer = run(3, back, f"split: {{{login}: 2}}\n")
    for registry in (asleep.registry, fewer.registry):
        assert registry.theme(f"{login}c").status == "merged"
        assert Registry.of(registry.content(), "registry.json").content() == registry.content()
