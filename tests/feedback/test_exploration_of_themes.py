"""Working on with a result: its messages, another column, the notebook's own cells; statsmodels."""

import json
import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell
from markupsafe import escape
from sklearn.metrics import pairwise, silhouette_score
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from conftest import ROOT, page_of
from opslab import feedback, frames, report
from opslab.errors import DataError, ParameterError, SpecError
from opslab.feedback import record
from opslab.tables import read_export

SPEC = ROOT / "data/sample/shop_feedback.yaml"
NOTEBOOK = json.loads((ROOT / "notebooks/feedback_themes.ipynb").read_text(encoding="utf-8"))
TAKEN = Path("reports/take-away/feedback")
FRUIT = ["The parcel came late", "The app crashes"]


@pytest.fixture(scope="module")
def study():
    return feedback.Study.load(SPEC)


@pytest.fixture(scope="module")
def result(study):
    return feedback.find_themes(study=study, as_of=study.end)


@pytest.fixture(scope="module")
def messages(result):
    return result.messages()


def survey(rows: int = 160, seed: int = 3):
    """Return a survey in which the plan tells what is said, and the day nothing."""
    rng = np.random.default_rng(seed)
    solo = rng.random(rows) < 0.5
    late = rng.random(rows) < np.where(solo, 0.8, 0.3)
    return pd.DataFrame(
        {
            "text": [FRUIT[0] if each else FRUIT[1] for each in late],
            "plan": np.where(solo, "solo", "team"),
            "rating": np.where(solo, 1, 4),
        }
    )


def test_a_row_for_each_that_came_in_in_the_order_of_the_input(study, result, messages):
    came = study.messages()
    assert came[["source", "row"]].apply(tuple, axis=1).tolist() == list(result.intake.rows)
    own = ["message", "source", "row", "id", "text", "customer", "segment"]
    pd.testing.assert_frame_equal(came[own], messages[own])
    for source in study.sources:
        exported, _ = read_export(study.beside(source.path), answers=source)
        assert came.loc[came["source"] == source.source, "id"].tolist() == exported["id"].tolist()


def test_labels_stand_beside_the_messages(study, result, messages):
    beside = study.messages().assign(theme=result.labels)
    pd.testing.assert_series_equal(beside["theme"], messages["theme"], check_dtype=False)
    assert beside["theme"].value_counts()["T01"] == result.labels.count("T01")


def test_days_are_days_and_weeks_begin_on_monday(messages):
    assert messages["date"].dtype.kind == messages["week"].dtype.kind == "M"
    assert set(messages["week"].dt.day_name()) == {"Monday"}
    assert (messages["date"] - messages["week"]).dt.days.between(0, 6).all()


def test_no_personal_data_and_no_name_of_a_customer_stands_in_it(study, messages):
    tickets, _ = read_export(study.beside("feedback_tickets.csv"))
    raw = tickets["text"].str.extract(r"(\S+@\S+\.\w+)")[0].dropna().str.strip(".,")
    assert len(raw) > 5
    said = messages["text"].str.cat(sep=" ")
    assert not [address for address in raw if address in said]
    assert "[EMAIL]" in said
    assert not {*tickets["customer"], *tickets["customer_id"]} & {*messages["customer"].dropna()}


def test_what_was_left_out_keeps_its_row_and_is_blank():
    texts = ["The app crashes", "", None, "My parcel is late"]
    came = feedback.Study(study="mail").messages(texts)
    assert came["row"].tolist() == [1, 2, 3, 4]
    assert came["message"].isna().tolist() == [False, True, True, False]
    assert came["text"].dropna().tolist() == [texts[0], texts[3]]
    found = feedback.find_themes(texts)
    assert len(found.labels) == len(found.messages()) == 4
    assert feedback.Study(study="mail").messages([""])["text"].isna().all()
    assert feedback.Study(study="mail").messages([]).empty


def test_what_is_liked_and_what_is_not_are_two_messages_of_one_row(workspace_folder):
    workspace_folder.joinpath("g2.csv").write_text(
        "Review ID,What do you like best?,What do you dislike?\n"
        "1,Fast and clean,It crashes every day\n2,,The price went up\n",
        encoding="utf-8",
    )
    study = feedback.Study(study="g2", sources=[{"path": "g2.csv"}])
    came = study.messages()
    assert came["row"].tolist() == [1, 1, 2]
    assert {*came["id"]} == {"1 likes", "1 dislikes", "2 dislikes"}
    result = feedback.find_themes(study=study)
    assert result.messages()["row"].tolist() == [1, 1, 2]
    assert len(result.labels) == 2
    with pytest.raises(ValueError, match="does not match length"):
        came.assign(theme=result.labels)  # told, and no theme beside another message


def test_files_are_read_once_and_again_when_one_has_changed(workspace_folder, monkeypatch):
    read = []
    real = record.take_in
    monkeypatch.setattr(record, "take_in", lambda *given: read.append(1) or real(*given))
    monkeypatch.setattr(frames, "_kept", {})
    path = workspace_folder / "mail.csv"
    path.write_text("id,text\n1,The app crashes\n", encoding="utf-8")
    study = feedback.Study(study="mail", sources=[{"path": "mail.csv"}])
    first = study.messages()
    first["text"] = "changed by me"
    assert study.messages()["text"].tolist() == ["The app crashes"]
    assert len(read) == 1
    path.write_text("id,text\n1,The app crashes\n2,It is slow\n", encoding="utf-8")
    assert len(study.messages()) == 2
    assert len(read) == 2
    redacting = study.model_dump() | {"redact": {"patterns": {"word": "crashes"}}}
    assert feedback.Study(**redacting).messages()["text"][0] == "The app [WORD]"
    path.unlink()
    with pytest.raises(DataError, match=r"mail\.csv"):
        study.messages()


def test_a_study_without_sources_is_refused():
    with pytest.raises(SpecError, match="names no sources"):
        feedback.Study(study="mail").messages()


def test_forms(study):
    table = study.messages(form="arrow")
    assert table.num_rows == 747
    assert isinstance(study.messages(form="polars"), pl.DataFrame)
    with pytest.raises(ParameterError, match="spark is no form"):
        study.messages(form="spark")


def test_what_would_not_fit_is_a_sample_and_says_so(result, monkeypatch):
    monkeypatch.setattr(frames, "MOST_CELLS", 300 * len(result.messages().columns))
    with pytest.warns(frames.Remark, match="one row in 3 of 747"):
        part = result.messages()
    assert part["row"].tolist() == [row for _, row in result.intake.rows[::3]]
    assert len(result.tables()["messages"]) == 747  # what is written holds them all


def test_a_trait_that_is_called_like_a_column_stands_behind_it(workspace_folder):
    workspace_folder.joinpath("mail.csv").write_text(
        "id,text,week\n1,The app crashes,w1\n2,My parcel is late,w2\n", encoding="utf-8"
    )
    source = {"path": "mail.csv", "segments": ["week"]}
    came = feedback.Study(study="mail", sources=[source]).messages()
    assert came["week "].tolist() == ["w1", "w2"]
    assert came["week"].isna().all()


def test_the_short_table_speaks_as_the_page_does(result):
    table = result.frame()
    assert len(table.columns) <= 16
    assert set(record.KEYS) <= set(table)
    page = page_of(result, "en")
    for column in ("name", "kind", "team", "band"):
        for word in table[column].replace("", None).dropna().unique():
            assert str(escape(word)) in page, word
    assert table["share"].tolist() == [theme.share for theme in result.themes]
    full = result.frame(full=True)
    assert {"weight_error", "phrases", "quote", "stability"} <= set(full)
    assert full["band"].dropna().isin([1, 2, 3]).all()


def test_its_words_are_those_of_the_results_language(result):
    french = replace(result, language="fr")
    assert "problème" in french.frame()["kind"].tolist()
    assert "d'abord" in french.frame()["band"].tolist()
    assert french.frame(full=True).equals(result.frame(full=True))
    assert french.frame()["name"][1] == french.themes[1].called("fr") != result.frame()["name"][1]


def test_a_result_without_themes_has_the_same_columns():
    nothing = feedback.find_themes(["Thanks!"])
    assert [*nothing.frame()] == [*feedback.find_themes(FRUIT * 10).frame()]
    assert nothing.messages()["reason"].tolist() == ["praise"]
    assert nothing.compare(nothing).frame().empty


def test_by_a_column_is_newcombes_interval():
    result = feedback.find_themes(survey())
    asked = result.by("rating").contrasts
    assert set(asked["trait"]) == {"rating"}
    messages = result.messages()
    row = asked[(asked["theme"] == "T01") & (asked["value"] == "1")].iloc[0]
    ours, inside = messages["rating"] == 1, messages["theme"] == "T01"
    expected = confint_proportions_2indep(
        (ours & inside).sum(), ours.sum(), (~ours & inside).sum(), (~ours).sum(), method="newcomb"
    )
    assert (row["low"], row["high"]) == pytest.approx(expected, abs=1e-9)
    plans = result.contrasts[result.contrasts["trait"] == "plan"].set_index(["value", "theme"])
    again = result.by("plan").contrasts.set_index(["value", "theme"])
    same = ["messages", "of", "share", "elsewhere", "low", "high"]
    pd.testing.assert_frame_equal(plans[same], again[same])


def test_by_a_column_of_ones_own_in_the_order_of_the_messages():
    table = survey()
    result = feedback.find_themes(table)
    own = pd.Series(np.where(table["plan"] == "solo", "one", "many"), name="people")
    found = result.by(own).contrasts
    known = result.by("plan").contrasts
    shares = found.set_index(["value", "theme"])["share"]
    for value, plan in (("one", "solo"), ("many", "team")):
        rows = known[known["value"] == plan].set_index("theme")["share"]
        assert shares[value].to_dict() == pytest.approx(rows.to_dict())
    assert "(themes compared by people)" in result.by(own).headline()
    # In another order each value still belongs to its message.
    pd.testing.assert_frame_equal(result.by(own.iloc[::-1]).contrasts, found)
    for other in (own[:50], own.set_axis(own.index + 1), [*own]):
        with pytest.raises(ParameterError, match="one for each of its"):
            result.by(other)
    hostile = result.by(own.rename("<img src=x onerror=alert(1)>").replace("one", "<b>one</b>"))
    assert "&lt;img" in page_of(hostile, "en")
    assert not re.search("<img src=x|<b>one", page_of(hostile, "en"))


def test_by_keeps_the_rules_within_sources_and_a_customer_once(study, result, messages):
    counts = messages.dropna(subset="rating").groupby(["source", "rating"]).size()
    assert "help desk" not in counts.index  # no stars there: it takes no part
    asked = result.by("rating").contrasts
    assert asked["of"].max() < messages["rating"].notna().sum()
    one = messages["segment"].where(messages["source"] == "help desk")
    voices = messages["customer"][one == "hotel"].nunique()
    few = result.by(one.where(one == "hotel").rename("hotel")).contrasts
    assert voices > 20
    assert few.empty  # nobody to compare them with


def test_what_was_asked_is_marked_everywhere_and_is_no_evidence(result):
    asked = result.by("rating")
    assert asked.themes == result.themes
    assert asked.ranking.equals(result.ranking)
    assert result.evidence()
    assert not asked.evidence()
    mark = "Exploratory, not in the plan (themes compared by rating)."
    assert asked.headline().startswith(mark)
    assert asked.first_screen().action == "Explored: nothing is decided"
    for part in asked.PARTS:
        assert mark in repr(getattr(asked, part)), part
    assert all(figure.alt.startswith(mark) for figure in asked.figures.values())
    assert asked.frame()["exploratory"].all()
    assert asked.record()["exploratory"][0]["values"] == {"column": "rating"}
    assert "exploratory" not in result.record()
    assert all(table["exploratory"].all() for table in asked.sheets().values())
    assert b"exploratory" in asked.files()["contrasts.csv"].splitlines()[0]
    assert not any("exploratory" in table for table in result.sheets().values())
    documents = asked.documents("fr")
    assert "theme-t01.html" in documents
    assert all("Exploratoire, hors plan" in page.decode() for page in documents.values())
    assert "jira.csv" in result.documents()
    assert "Exploratory" not in result.documents()["theme-t01.html"].decode()
    twice = asked.by("segment")
    assert "themes compared by rating; themes compared by segment" in twice.headline()
    assert set(twice.contrasts["trait"]) == {"segment"}
    assert "Exploratoire" in asked.headline("fr")


def test_a_column_that_was_not_read_is_refused_with_the_nearest(result):
    with pytest.raises(ParameterError, match=r"Did you mean segment\?"):
        result.by("segments")
    with pytest.raises(ParameterError, match="rating, score"):
        result.by("xyzxyz")


def test_two_results_side_by_side(result):
    beside = result.compare(result.by("rating")).frame()
    assert set(beside["theme"]) == {theme.id for theme in result.themes}
    assert beside["change"].dropna().eq(0).all()
    other = feedback.find_themes(FRUIT * 10)
    apart = result.compare(other).frame()
    alone = apart[apart["name"] == other.frame()["name"][0]]
    assert alone["this"].isna().all()  # T01 of another run is another theme
    assert alone["other"].notna().any()


def test_tables_to_take_away(result, tmp_path, monkeypatch):
    path = result.to_excel(tmp_path / "all.xlsx")
    assert path.read_bytes() == result.files()["themes.xlsx"]
    sheets = pd.read_excel(path, sheet_name=None, engine="openpyxl")
    assert len(sheets["messages"]) == 747
    monkeypatch.setattr(record, "_MOST_IN_WORKBOOK", 100)
    assert "messages" not in result.sheets()
    assert "themes" in result.sheets()
    assert len(result.files()["messages.csv"].splitlines()) > 747


def test_silhouette_is_scikit_learns_where_no_companion_is_left_out(result, messages):
    texts = messages[messages["nearest"].notna() & messages["copy_of"].isna()]
    vectors = feedback.encode(texts["text"], texts["language"]).astype(float)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-6)
    apart = pairwise.cosine_distances(vectors)
    theirs = silhouette_score(apart, texts["nearest"], metric="precomputed")
    assert feedback.silhouette(apart, texts["nearest"], left_out=0) == pytest.approx(
        theirs, abs=1e-9
    )
    # what the page tells was computed in single precision
    assert feedback.silhouette(apart, texts["nearest"]) == pytest.approx(
        result.model.silhouette, abs=1e-7
    )


def test_an_encoder_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="no such model folder"):
        feedback.encode(["a"], encoder="nowhere")


EXPLORED = [cell for cell in NOTEBOOK["cells"] if "explore" in cell["metadata"].get("tags", [])]


def test_exploration_stands_after_what_is_published():
    ids = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert ids[ids.index("publish") + 1 :] == [cell["id"] for cell in EXPLORED]
    assert EXPLORED[0]["id"] == "your-turn"
    for cell in EXPLORED:
        assert cell["metadata"]["tags"] == ["explore", "skip-execution", "nbval-skip"]
        code = [line for line in cell["source"] if line.strip() and not line.startswith("#")]
        assert len(code) <= 10, cell["id"]


def test_the_cells_of_your_turn_run_as_they_are(result, study, workspace_folder, capsys):
    shell = InteractiveShell()
    shell.user_ns |= {"result": result, "study": study, "feedback": feedback, "report": report}
    printed = {}
    with mpl.rc_context():
        for cell in (cell for cell in EXPLORED if cell["cell_type"] == "code"):
            shell.run_cell("".join(cell["source"])).raise_error()
            printed[cell["id"]] = capsys.readouterr().out
    space = shell.user_ns
    assert space["theirs"] == pytest.approx(
        feedback.silhouette(space["apart"], space["texts"]["nearest"], 0), abs=1e-9
    )
    assert space["ours"] == pytest.approx(result.model.silhouette, abs=1e-7)
    theme = result.themes[0]
    ends = [float(end) for end in re.findall(r"\d\.\d+(?=[,)])", printed["check-share"])]
    ours = re.findall(r"ours \((.*?), (.*?)\)", printed["check-share"])
    assert [float(end) for end in ours[0]] == pytest.approx(theme.interval, abs=1e-9)
    assert (ends[0], ends[3]) == pytest.approx(theme.interval, abs=1e-9)
    low, _ = proportion_confint(theme.messages, 747, method="wilson")
    assert theme.interval[0] == pytest.approx(low, abs=1e-9)
    assert int(space["weeks"].to_numpy().sum()) == len(result.labels) - result.labels.count(None)
    assert space["shares"].sum().tolist() == pytest.approx([1, 1, 1])
    assert space["asked"].asked
    assert pd.read_excel(TAKEN / "tables.xlsx", "themes", engine="openpyxl")["messages"][0] == 90
    assert (workspace_folder / TAKEN / "shares.svg").read_text("utf-8").startswith("<?xml")
