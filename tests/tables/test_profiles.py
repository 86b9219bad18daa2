"""Column profiles: the tool is recognised by the header, the user's own come first, a tie is a question."""

from pathlib import Path

import pytest
import yaml
from exported import assumed, decided, read, refusal, refused, rejected, values

from opslab import tables
from opslab.errors import SpecError
from opslab.messages import LANGUAGES, catalogue, spoken
from opslab.report import Voice
from opslab.report.import_report import reason
from opslab.tables.profiles import known_profiles, load_profile

BUNDLED = sorted((Path(tables.__file__).parent / "profiles").glob("*.yaml"))
MINE = """\
profile: mine
tool: Mine
table: tickets
recognised_by: [key, status]
columns:
  key: {headers: [Ticket], required: true}
  status: {headers: [Statut]}
  points: {headers: [Points], kind: number}
"""
HEADINGS = {
    "jira-cloud": "Summary,Issue key,Issue id,Status,Created,Custom field (Story Points)",
    "jira-history": "issue_key,changed_at,from_status,to_status",
    "jira-data-pipeline": "id,instance_url,key,url,project_key,summary,status,created_date,resolution_date",
    "event-log": "case:concept:name,concept:name,time:timestamp",
    "actionableagile": "ID,Link,Name,To Do,In Progress,Done,Type",
    "github-issues": "number,title,state,stateReason,createdAt,closedAt,labels",
    "azure-devops": "ID,Work Item Type,Title,State,Created Date,Activated Date,Closed Date",
    "linear": "ID,Team,Title,Status,Created,Started,Completed,Canceled",
    "zendesk": "Id,Requester,Subject,Status,Created at,First reply time in minutes",
    "toggl": "User,Email,Project,Description,Start date,Start time,Duration",
    "clockify": "Project,User,Start Date,Start Time,Duration (h)",
    "harvest": "Date,Client,Project,Task,Hours,First Name,Last Name",
    "outlook-calendar": "Subject,Start Date,Start Time,End Date,End Time,All day event",
    "icalendar": "uid,title,started_at,ended_at,recurring",
    "app-store-reviews": "id,text,score,thumbs_up,app",
    "intercom": "Conversation ID,Conversation started at (UTC),User ID,First message",
    "canny": "Post ID,Title,Details,Board,Status,Votes,Created",
    "delighted": "Response ID,Survey type,Email,Score,Comment,Response date",
    "hubspot": "Record ID,Survey name,Survey type,Rating,Response,Submission date",
    "typeform": "#,How was it?,Response Type,Start Date (UTC),Submit Date (UTC),Network ID",
    "google-forms": "Timestamp,Email Address,How was it?",
    "surveymonkey": "Respondent ID,Collector ID,Start Date,End Date,How was it? / Open-Ended Response",
    "qualtrics": "StartDate,EndDate,Status / Response Type,RecordedDate,ResponseId,Q1 / How was it?",
    "g2": "Review ID,Star Rating,What do you like best?,What do you dislike?",
    "discourse": "topic_title,post_raw,post_cooked,url,created_at",
    "slack": "type,user,text,ts,thread_ts",
    "app-store-api": "type,id,rating,title,body,reviewerNickname,createdDate,territory",
    "productboard": "id,title,content,source_origin,source_record_id,user_email",
    "zendesk-api": "id,created_at,subject,raw_subject,description,requester_id",
    "feedback": "feedback_id,comment,created_at",
    "units": "user_id,variant,first_seen",
    "time-inventory": "task,role,initiative,people,frequency_low,frequency_high,minutes",
    "time-measurements": "task,quantity,value,low,high,basis",
    "change-panel": "team,week,value,rows",
    "team-members": "person,team",
    "past-estimates": "estimate,low,high,measured",
    "checklist": "item,function,owner,due,status,blocking",
    "briefing": "function,audience,people,briefed,date",
    "backlog": "item,reach,impact,confidence,effort",
    "kpi-series": "kpi,date,value",
    "past-launches": "launch,date,decision,hurt",
    "decision-log": "id,decision,raised,status,decided,options,grade,probability,outcome",
    "decision-history": "id,changed,to",
    "canvas": "capability,team,assessor,date,level,target,next_action",
    "processes": "process,problem,owner,minutes,uses,saved,sunset",
    "process-uses": "process,team,date,step",
    "initiatives": "id,initiative,owner,starts,ends,weeks,depends_on",
    "announcements": "initiative,announced,date,delivered",
    "alignment-survey": "person,function,priority_1,priority_2,priority_3,goal",
    "program-tests": "test,metric,variation,users,percentChange,percentChangePValue,percentChangeCILower",
    "program-arms": "name,rule,experiment_group,metric_type,metric_name,start_date,end_date,units,mean,stderr",
    "program-ideas": "idea,date,decided",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a workspace with a folder for profiles."""
    (tmp_path / "profiles").mkdir()
    monkeypatch.setenv("OPSLAB_WORKSPACE", str(tmp_path))
    return tmp_path


def declare(folder, text, name="mine"):
    (folder / "profiles" / f"{name}.yaml").write_text(text, encoding="utf-8")


# --- The package's own


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_bundled_profile_loads_and_is_named_like_its_file(path):
    profile = load_profile(path, path.name)
    assert profile.profile == path.stem
    assert profile.recognised_by
    documented = Path(__file__).parents[2] / "docs" / "exports.md"
    assert f"| `{path.stem}` |" in documented.read_text(encoding="utf-8")


def test_every_bundled_profile_has_a_header_here():
    assert set(HEADINGS) == {path.stem for path in BUNDLED} == set(known_profiles())


@pytest.mark.parametrize("name", HEADINGS)
def test_a_tool_is_recognised_by_its_header(tmp_path, name):
    _, reading = read(tmp_path, HEADINGS[name] + "\n", profile=None)
    assert reading.profile == name
    tool = yaml.safe_load(next(path for path in BUNDLED if path.stem == name).read_text("utf-8"))[
        "tool"
    ]
    told = decided(reading)["decided_profile"]["tool"]
    assert [spoken(told, language) for language in ("en", "fr")] == (
        [*tool.values()] if isinstance(tool, dict) else [tool] * 2
    )


def test_a_header_of_no_tool_has_no_profile(tmp_path):
    frame, reading = read(tmp_path, "a,b\n1,2\n", profile=None)
    assert reading.profile is None
    assert list(frame) == ["a", "b"]


# --- Headings


def test_accents_case_spaces_and_apostrophes_do_not_matter(tmp_path):
    headings = [
        "  CLE DE   TICKET ",
        "etat",
        "Cre\u0301ation",
        "résumé",
        "Catégorie d\u2019état",
        "CHEF DE PROJET",
    ]
    content = ";".join(headings) + "\nA-1;Fini;25/03/2025 10:00;Titre;Terminé;Ana\n"
    frame, reading = read(tmp_path, content, profile=None)
    assert reading.profile == "jira-cloud"
    assert frame[["key", "status", "title", "status_category", "project_lead"]].iloc[
        0
    ].to_list() == [
        "A-1",
        "Fini",
        "Titre",
        "Terminé",
        "Ana",
    ]


def test_all_else_in_a_heading_matters(tmp_path):
    for wrong in ("Issue keys", "Issue-key", "IssueKey", "key"):
        assert (
            read(tmp_path, f"{wrong},Status,Created\nA,b,2025-03-25\n", profile=None)[1].profile
            is None
        )


def test_the_wrapper_around_headings_of_users(tmp_path):
    content = "Issue key,Status,Created,Custom field (Team),Custom field (Story Points),Custom field (Team (old))\n"
    frame, _ = read(tmp_path, content + "A-1,b,2025-03-25 10:00,c,3,d\n", profile=None)
    assert list(frame) == ["key", "status", "created_at", "story_points", "Team", "Team (old)"]
    with tables.open_export(tmp_path / "export.csv") as table:
        headings = dict(zip(table.types, table.headings, strict=True))
    assert headings["Team"] == "Custom field (Team)"
    assert headings["story_points"] == "Custom field (Story Points)"
    french = "Clé de ticket,État,Création,Champs personnalisés (Équipe)\nA-1,b,2025-03-25 10:00,c\n"
    assert list(read(tmp_path, french, profile=None)[0])[-1] == "Équipe"


def test_a_heading_that_is_called_like_a_column(tmp_path):
    frame, _ = read(
        tmp_path,
        "Issue key,Status,Created,STATUS_,created_at\nA-1,b,2025-03-25 10:00,c,d\n",
        profile=None,
    )
    assert frame.drop(columns="created_at").iloc[0].to_list() == ["A-1", "b", "c", "d"]
    assert len({name.casefold() for name in frame}) == 5


def test_a_wrapped_heading_that_is_called_like_one_of_the_tool(tmp_path):
    content = "Issue key,Status,Created,Custom field (Status)\nA-1,b,2025-03-25 10:00,c\n"
    frame, _ = read(tmp_path, content, profile=None)
    assert frame["status"][0] == "b"


def test_german_headings_of_jira(tmp_path):
    content = (
        "Zusammenfassung;Vorgangsschlüssel;Status;Erstellt;Ursprüngliche Schätzung;Stichwörter;Stichwörter;"
        "Benutzerdefinierte Felder (Story Points);Benutzerdefinierte Felder (Bereich)\n"
        "Karte langsam;AB-1;Fertig;23.10.2024 11:02;7200;karte;ton;3,0;Nord\n"
    )
    frame, reading = read(tmp_path, content, profile=None)
    assert reading.profile == "jira-cloud"
    assert frame["created_at"].astype(str).to_list() == ["2024-10-23 11:02:00"]
    assert frame[["original_estimate_hours", "story_points"]].iloc[0].to_list() == [2, 3]
    assert list(frame["labels"]) == [["karte", "ton"]]
    assert list(frame["Bereich"]) == ["Nord"]


def test_a_german_calendar_of_outlook(tmp_path):
    content = (
        "Betreff,Beginnt am,Beginnt um,Endet am,Endet um,Ganztägiges Ereignis\n"
        "Runde,04.07.2022,09:00:00,04.07.2022,09:15:00,Aus\nUrlaub,05.07.2022,00:00:00,06.07.2022,00:00:00,Ein\n"
    )
    frame, reading = read(tmp_path, content, profile=None)
    assert reading.profile == "outlook-calendar"
    assert frame["started_at"].astype(str).to_list() == ["2022-07-04 09:00:00"]
    assert list(frame["hours"]) == [0.25]
    assert [key for _, key in rejected(reading)] == ["rejected_all_day"]


def test_a_heading_of_two_rows_is_known_by_its_first(tmp_path):
    headings = "Issue key / Schlüssel,Status,Created / when,Custom field (Story Points) / number"
    frame, reading = read(tmp_path, headings + "\nA-1,b,2025-03-25 10:00,3\n", profile=None)
    assert reading.profile == "jira-cloud"
    assert list(frame) == ["key", "status", "created_at", "Custom field (Story Points) / number"]


def test_rows_with_cells_that_are_no_data_are_left_out(here):
    declare(
        here, MINE.replace("[Statut]}", '[Statut], leave_out: ["test*", void], required: true}')
    )
    rows = "A-1,fini\nA-2,test of ours\nA-3,void\nA-4,avoid\nA-5,\n"
    frame, reading = read(here, "Ticket,Statut\n" + rows, profile=None)
    assert list(frame["key"]) == ["A-1", "A-4"]
    reasons = [key for _, key in rejected(reading)]
    assert reasons == ["rejected_cell", "rejected_cell", "rejected_required"]
    for language, words in (("en", "has void under status"), ("fr", "a void sous status")):
        assert reason(reading.rejections[1], Voice(language, "tables")) == words


def test_repeated_headings_of_a_declared_list(tmp_path):
    content = "Issue key,Status,Created,Labels,Sprint,Labels\nA-1,b,2025-03-25,x,S1,y\nA-2,b,2025-03-25,,,z\n"
    frame, _ = read(tmp_path, content, profile=None)
    assert list(frame["labels"]) == [["x", "y"], ["z"]]
    assert list(frame["sprints"]) == [["S1"], []]


def test_work_logs_are_summed_to_hours(tmp_path):
    content = (
        (
            "Issue key,Status,Created,Log Work,Log Work\n"
            'A-1,b,2025-03-25,"Note; with a sign;25/Mar/25 9:00 AM;ana;5400",;25/Mar/25 9:00 AM;ana;1800\n'
            "A-2,b,2025-03-25,,\n"
        )
        .replace(",;25/Mar", ',";25/Mar')
        .replace(";1800\n", ';1800"\n')
    )
    frame, reading = read(tmp_path, content, profile=None)
    assert values(frame["logged_hours"]) == [2.0, None]
    assert "work_logs" in reading.personal


# --- The user's own


def test_a_profile_of_the_workspace_is_recognised(here):
    declare(here, MINE)
    frame, reading = read(here, 'Ticket,Statut,Points,autre\nA-1,fini,"1,5",x\n', profile=None)
    assert reading.profile == "mine"
    assert frame.to_dict("list") == {
        "key": ["A-1"],
        "status": ["fini"],
        "points": [1.5],
        "autre": ["x"],
    }


def test_a_profile_of_the_workspace_comes_before_the_package_s_of_that_name(here):
    declare(here, MINE.replace("profile: mine", "profile: toggl"), "toggl")
    assert read(here, "Ticket,Statut\nA-1,fini\n", profile=None)[1].profile == "toggl"
    assert read(here, HEADINGS["toggl"] + "\n", profile=None)[1].profile is None
    assert known_profiles()["toggl"].tool == "Mine"


def test_a_mistake_in_a_profile_is_told_with_its_place(here):
    declare(here, MINE.replace("kind: number", "kind: nombre"))
    with pytest.raises(SpecError) as caught:
        read(here, "Ticket,Statut\nA-1,fini\n", profile=None)
    assert "profiles/mine.yaml, line 8, columns.points.kind" in str(caught.value)


def test_a_column_that_a_profile_has_not_got_is_told(here):
    declare(here, MINE.replace("[key, status]", "[key, statut]"))
    with pytest.raises(SpecError, match="Columns statut are not among `columns`"):
        read(here, "Ticket,Statut\nA-1,fini\n", profile=None)


def test_a_profile_without_recognition_is_taken_by_name_only(here):
    declare(here, MINE.replace("recognised_by: [key, status]\n", ""))
    content = "Ticket,Statut\nA-1,fini\n"
    assert read(here, content, profile=None)[1].profile is None
    assert list(read(here, content, profile="mine")[0]) == ["key", "status"]


# --- Which one


def test_the_profile_that_explains_more_is_taken(here):
    declare(here, MINE)
    declare(
        here, MINE.replace("profile: mine", "profile: more") + "  owner: {headers: [Qui]}\n", "more"
    )
    assert read(here, "Ticket,Statut,Qui\nA,b,c\n", profile=None)[1].profile == "more"


def test_two_that_fit_equally_are_a_question(here):
    declare(here, MINE)
    declare(here, MINE.replace("profile: mine", "profile: other"), "other")
    content = "Ticket,Statut\nA-1,fini\n"
    error = refused(here, content, "ask_profile", profile=None)
    assert "mine and other" in str(error)
    assert "`profile:`" in str(error)
    assert read(here, content, profile="other")[1].profile == "other"


def test_a_profile_that_does_not_fit(tmp_path):
    error = refused(tmp_path, "a,b\n1,2\n", "profile_misfit", profile="jira-cloud")
    assert "Issue key, Status and Created" in str(error)


def test_a_profile_that_is_not_there(tmp_path):
    assert "did you mean jira-cloud?" in str(
        refused(tmp_path, "a,b\n", "no_profile_near", profile="jira-clod")
    )
    error = refused(tmp_path, "a,b\n", "no_profile", profile="servicenow")
    assert all(name in str(error) for name in HEADINGS)


def test_none_takes_no_profile(tmp_path):
    frame, reading = read(tmp_path, HEADINGS["toggl"] + "\n", profile="none")
    assert reading.profile is None
    assert list(frame) == HEADINGS["toggl"].split(",")


# --- Rows


def test_rows_that_lack_what_is_required_are_left_out(tmp_path):
    content = (
        "Issue key,Status,Created\nA-1,x,2025-03-25\n,x,2025-03-25\nA-3,,2025-03-25\nA-4,x,bientôt\nA-5,x,\n"
        + "".join(f"A-{number},x,2025-03-25\n" for number in range(6, 16))
    )
    frame, reading = read(tmp_path, content, profile=None)
    assert list(frame["key"]) == ["A-1", *(f"A-{number}" for number in range(6, 16))]
    assert [(one.row, one.key, one.values["column"]) for one in reading.rejections] == [
        (3, "tables.rejected_required", "key"),
        (4, "tables.rejected_required", "status"),
        (5, "tables.rejected_required", "created_at"),
        (6, "tables.rejected_required", "created_at"),
    ]
    assert (reading.rejected, reading.rows) == (4, 11)


def test_ragged_rows_and_rows_that_lack_something_have_the_numbers_of_the_file(tmp_path):
    rows = [f"A-{place},x,2025-03-25 10:00" for place in range(1, 31)]
    rows[9], rows[19] = "A-10,x", ",x,2025-03-25 10:00"
    _, reading = read(tmp_path, "\n".join(["Issue key,Status,Created", *rows]), profile=None)
    assert rejected(reading) == [(11, "rejected_width"), (21, "rejected_required")]


@pytest.mark.parametrize(
    ("rows", "capped"), [(999, False), (1_000, True), (1_001, False), (5_000, True)]
)
def test_a_count_of_rows_at_which_the_tool_stops_is_noticed(tmp_path, rows, capped):
    content = "Issue key,Status,Created\n" + "A-1,x,2025-03-25\n" * rows
    _, reading = read(tmp_path, content, profile=None)
    assert assumed(reading) == (["decided_row_cap"] if capped else [])


@pytest.mark.parametrize("last", [",x,2025-03-25", "A-1"], ids=["required", "ragged"])
def test_a_row_left_out_still_counts_to_the_cap(tmp_path, last):
    content = "Issue key,Status,Created\n" + "A-1,x,2025-03-25\n" * 999 + last + "\n"
    _, reading = read(tmp_path, content, profile=None)
    assert reading.rows == 999
    assert decided(reading)["decided_row_cap"] == {"count": 1_000}


# --- People


def test_personal_columns_are_listed_and_left_out(tmp_path):
    content = (
        HEADINGS["toggl"]
        + ",Contact\nAna,ana@example.test,P,D,2025-03-25,10:00:00,01:00:00,zoe@example.test\n"
    )
    frame, reading = read(tmp_path, content, profile=None)
    assert set(reading.personal) == {"person", "email", "Contact"}
    assert {"person", "email", "Contact"} <= set(frame)
    frame, reading = read(tmp_path, content, profile=None, personal="drop")
    assert set(reading.personal) == {"person", "email", "Contact"}
    assert list(frame) == ["project", "description", "started_at", "hours"]
    assert set(decided(reading)["decided_dropped"]["names"]) == {"person", "email", "Contact"}
    assert (
        not frame.astype(str)
        .apply(lambda cell: cell.str.contains("ana|zoe", case=False))
        .to_numpy()
        .any()
    )


def test_addresses_are_personal_without_a_profile(tmp_path):
    content = "id,qui,texte\n1,ana@example.test,écrire à ana\n2,,rien\n"
    frame, reading = read(tmp_path, content)
    assert reading.personal == ("qui",)
    assert list(read(tmp_path, content, personal="drop")[0]) == ["id", "texte"]
    assert list(frame) == ["id", "qui", "texte"]


@pytest.mark.parametrize(
    "content",
    [
        "id,qui\n" + "1,\n" * 1_500 + "2,ana@example.test\n",
        "id,qui\n" + "1,personne\n" * 1_500 + "2,ana@example.test\n",
        "id,qui,qui\n1,ana@example.test,zoe@example.test\n",
    ],
    ids=["below empty cells", "below other texts", "in a list"],
)
def test_addresses_are_found_wherever_they_are(tmp_path, content):
    assert read(tmp_path, content)[1].personal == ("qui",)


def test_nothing_personal_nothing_dropped(tmp_path):
    frame, reading = read(tmp_path, "id,x\n1,a\n", personal="drop")
    assert list(frame) == ["id", "x"]
    assert reading.personal == ()
    assert not reading.decisions


# --- What is told


def test_everything_told_has_words_in_both_languages(tmp_path):
    content = (
        "Rapport;;;;;\nIssue key;Status;Created;Labels;Labels;Custom field (Part)\n"
        + "A-1;x;04/03/25 10:00;a;b;80 %\n" * 20
        + "A-2;x;31/02/2025;n/a;;5,5 %\nA-3\n;x;25/03/2025;;;\n"
    )
    _, reading = read(tmp_path, content, profile=None, timezone="Europe/Paris")
    keys = {one.key for one in (*reading.decisions, *reading.rejections)}
    assert {
        "tables.decided_preamble",
        "tables.decided_profile",
        "tables.decided_list",
        "tables.decided_first",
    } <= keys
    assert {"tables.rejected_width", "tables.rejected_required"} <= keys
    for one in (*reading.decisions, *reading.rejections):
        english, french = (reason(one, Voice(language, "tables")) for language in LANGUAGES)
        assert english != french
        assert "{" not in english + french


def test_every_question_can_be_told_as_kept_text():
    for language in ("en", "fr"):
        known = catalogue(language, "tables")
        asked = {name for name in known if name.startswith("ask_")}
        of_a_column = {
            name
            for name in asked
            if name.startswith(("ask_decimal", "ask_day", "ask_percent", "ask_timezone"))
        }
        assert {f"kept_{name}" for name in of_a_column} <= set(known)


def test_a_refusal_names_the_file_as_the_user_knows_it(here):
    folder = here / "données"
    folder.mkdir()
    error = refusal(lambda: read(folder, "a,b;c\n1,2;3\n", name="mars.csv"), "ask_delimiter")
    assert str(error).startswith("données/mars.csv: ")
