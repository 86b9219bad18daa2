"""Where the header is, what stands around the rows, and the answers to what is asked of it."""

import pytest
from exported import decided, read, refused, rejected, values

from opslab.errors import OpslabError
from opslab.tables import Answers, open_export
from opslab.tables.source import ROW

ROWS = "".join(f"{row},u{row},{row / 4}\n" for row in range(1, 41))


def keys(reading):
    return {each.key.removeprefix("tables.") for each in reading.decisions}


# --- Above the header


@pytest.mark.parametrize(
    "above",
    [
        "Weekly report\n",
        "Weekly report, all teams\n",
        "Weekly report\n\n",
        "# made on Monday\n# by Ana, of sales\n",
        "Account: Shop\nPeriod: May, June\n\n",
        "Weekly report,,\n,,\n",
        ",,\n",
        "From,2026-05-01,,,\n",
    ],
)
def test_titles_and_comments_above_are_passed_over(tmp_path, above):
    frame, reading = read(tmp_path, f"{above}id,who,hours\n{ROWS}")
    assert list(frame) == ["id", "who", "hours"]
    assert len(frame) == 40
    assert decided(reading)["decided_preamble"] == {"count": above.count("\n")}
    assert not reading.rejected


# --- Rows below the header that belong to it


@pytest.mark.parametrize(
    ("below", "names"),
    [
        (",,h\n", ["id", "who", "hours / h"]),
        ("ID,Who?,(h)\n", ["id", "who", "hours / (h)"]),
        ("n,text,h\n", ["id / n", "who / text", "hours / h"]),
    ],
)
def test_units_and_second_headings_are_joined(tmp_path, below, names):
    frame, reading = read(tmp_path, f"id,who,hours\n{below}{ROWS}")
    assert list(frame) == names
    assert values(frame[names[2]])[:2] == [0.25, 0.5]
    assert decided(reading)["decided_headings"]["count"] == 1 + below.count("\n")


def test_choices_below_the_question_of_a_survey(tmp_path):
    content = "id,Which areas?,,Why?\n,Billing,Reports,Open-Ended Response\n" + "".join(
        f"{row},Billing,,because {row}\n" for row in range(9)
    )
    frame, _ = read(tmp_path, content)
    assert list(frame) == [
        "id",
        "Which areas? / Billing",
        "Which areas? / Reports",
        "Why? / Open-Ended Response",
    ]


def test_a_second_row_of_words_is_asked_and_answered(tmp_path):
    content = f"id,who,hours\nNuméro,Qui,Heures\n{ROWS}"
    error = refused(tmp_path, content, "ask_headings")
    assert error.problems[0].line == 2
    assert "`header: [1, 2]`" in str(error)
    frame, _ = read(tmp_path, content, header=[1, 2])
    assert list(frame) == ["id / Numéro", "who / Qui", "hours / Heures"]
    frame, reading = read(tmp_path, content, header=1)
    assert (len(frame), list(frame)) == (41, ["id", "who", "hours"])
    assert "decided_nearly" in keys(reading)


@pytest.mark.parametrize("first", ["1,unknown,unknown", "1,x,n/a", "a,b,c"])
def test_a_first_row_of_words_is_a_row_where_others_have_them(tmp_path, first):
    later = "".join(f"{row},2,3\n" for row in range(2, 30)) + f"{first}\n"
    frame, reading = read(tmp_path, f"id,p,q\n{first}\n{later}")
    assert len(frame) + reading.rejected == 30
    assert list(frame) == ["id", "p", "q"]


# --- No header, and answers


@pytest.mark.parametrize(
    "content",
    [
        "1,a,2.5\n2,b,3.5\n3,c,4.5\n",
        "u1,control\nu2,treatment\nu3,control\n",
        "control,red\ntreatment,blue\ncontrol,red\n",
        "2026-05-01,x\n2026-05-02,y\n",
        (
            "L'application est lente la nuit chez nous.\n"
            "Impossible de se connecter depuis hier soir.\n"
            "Personne ne lit ce que nous vous écrivons.\n"
        ),
    ],
)
def test_no_header_is_asked_and_answered(tmp_path, content):
    error = refused(tmp_path, content, "ask_header")
    assert error.problems[0].line == 1
    assert "`header: none`" in str(error)
    frame, reading = read(tmp_path, content, header="none")
    assert len(frame) == content.count("\n")
    assert next(iter(frame)) == "column 1"
    assert "decided_no_header" in keys(reading)
    frame, reading = read(tmp_path, content, header=1)
    assert len(frame) + reading.rejected == content.count("\n") - 1


@pytest.mark.parametrize(
    "content",
    ["region,2023,2024\nNorth,12,13\nSouth,14,15\n", "task,2026-05-01,2026-05-08\na,1,2\nb,3,4\n"],
)
def test_years_and_days_are_headings_of_figures(tmp_path, content):
    assert len(read(tmp_path, content)[0]) == 2


def test_the_row_of_the_header_is_answered(tmp_path):
    content = "a,b,c\nd,e,f\nid,who,hours\n1,x,2\n2,y,3\n"
    frame, reading = read(tmp_path, content, header=3)
    assert list(frame) == ["id", "who", "hours"]
    assert values(frame["who"]) == ["x", "y"]
    assert decided(reading)["decided_preamble"] == {"count": 2}
    assert list(read(tmp_path, content, header=[2, 3])[0]) == ["d / id", "e / who", "f / hours"]
    assert list(read(tmp_path, content, skip_rows=2)[0]) == ["id", "who", "hours"]
    for wrong in (9, 0, -1, [0, 1], []):  # and never the advice to write none
        assert "none" not in str(refused(tmp_path, content, "no_heading_row", header=wrong))


def test_a_header_as_r_writes_it(tmp_path):
    rows = "".join(f"{row},{row * 3},b{row}\n" for row in range(1, 9))
    frame, reading = read(tmp_path, f"hours,who\n{rows}")
    assert list(frame) == ["column 1", "hours", "who"]
    assert "decided_row_names" in keys(reading)
    content = f"id,who\n{rows}"
    refused(tmp_path, content, "ask_short_header")
    assert list(read(tmp_path, content, header=1)[0]) == ["column 1", "id", "who"]


# --- Below the rows


@pytest.mark.parametrize(
    "foot", ["Source: the shop\n", "\nend\n", "Source: the shop,,\n", "END,,\n"]
)
def test_a_footer_is_left_out(tmp_path, foot):
    frame, reading = read(tmp_path, f"id,who,hours\n{ROWS}{foot}")
    assert len(frame) == 40
    assert rejected(reading) == [(41 + foot.count("\n"), "rejected_footer")]


@pytest.mark.parametrize(
    ("total", "is_left_out"),
    [("Total,,205", True), (",,205.0", True), ("Grand total,,205", True), (",,200", False)],
)
def test_a_total_is_left_out_where_it_adds_up(tmp_path, total, is_left_out):
    frame, reading = read(tmp_path, f"name,who,hours\n{ROWS.replace(',u', ',')}{total}\n")
    assert reading.rejected == is_left_out
    assert len(frame) == 41 - is_left_out


def test_a_total_that_does_not_add_up_is_asked_and_answered(tmp_path):
    content = f"name,who,hours\n{ROWS}Total,,999\n"
    assert refused(tmp_path, content, "ask_totals").problems[0].line == 42
    assert len(read(tmp_path, content, totals="keep")[0]) == 41
    frame, reading = read(tmp_path, content, totals="drop")
    assert len(frame) == 40
    assert rejected(reading) == [(42, "rejected_total")]


def test_repeated_headings_are_left_out(tmp_path):
    frame, reading = read(tmp_path, f"id,who,hours\n{ROWS}id,who,hours\n{ROWS}")
    assert len(frame) == 80
    assert rejected(reading) == [(42, "rejected_heading")]


def test_a_table_below_the_table_is_refused(tmp_path):
    content = f"Hours,,\nid,who,hours\n{ROWS},,\nCosts,,\nid,what,cost\n{ROWS}"
    assert refused(tmp_path, content, "several_tables").problems[0].line == 44


def test_a_day_below_an_empty_row_is_no_title_of_a_table(tmp_path):
    days = "day,who,hours\n,,\n2026-01-05,,\n2026-01-06,,1\n2026-01-07,ann,2\n"
    assert len(read(tmp_path, days)[0]) == 3
    content = f"id,who,hours\n{ROWS},,\n2026,,\nid,what,cost\n{ROWS}"
    assert refused(tmp_path, content, "several_tables").problems[0].line == 43


def test_a_second_header_below_an_empty_line_is_refused(tmp_path):
    content = "id,b\n1,2\n3,4\n\nname,city\nann,rome\nbob,nice\n"
    assert refused(tmp_path, content, "several_tables").problems[0].line == 5
    assert len(read(tmp_path, "id,b\n1,2\n\n3,4\n\n")[0]) == 2


# --- Notation


def test_a_web_page_is_no_table(tmp_path):
    refused(tmp_path, "<!DOCTYPE html>\n<html><body>Log in, please</body></html>\n", "web_page")


def test_single_quotes_backslashes_and_quoted_rows_are_read_and_reported(tmp_path):
    single = "id,who\n1,'a, b'\n2,'c, d'\n"
    escaped = 'id,who\n1,"say \\"no\\", twice"\n2,"c, d"\n'
    wrapped = '"id,who"\n"1,a"\n"2,""b, c"""\n'
    for content, key, cell in (
        (single, "decided_quotes", "a, b"),
        (escaped, "decided_quotes", 'say "no", twice'),
        (wrapped, "decided_unwrapped", "a"),
    ):
        frame, reading = read(tmp_path, content)
        assert values(frame["who"])[0] == cell
        assert [each.key for each in reading.decisions if each.assumed] == [f"tables.{key}"]


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1251", "Очень хорошо"),
        ("mac_roman", "déjà très lent"),
        ("cp850", "Jäger, Köln"),
        ("cp850", "café, Orléans"),
        ("iso-8859-15", "coûte 12 €"),
        ("cp1250", "żółty ślad"),
        ("cp1250", "Łukasz, proszę dodać"),
        ("cp1250", "Győr, őszintén"),
        ("euc_kr", "이름 김철수"),
        ("gb18030", "王小明"),
        ("shift_jis", "とても良いアプリ"),
    ],
)
def test_another_encoding_is_asked_and_answered(tmp_path, codec, text):
    content = f"id;x\n1;{text}\n".encode(codec)
    with pytest.raises(OpslabError) as caught:
        read(tmp_path, content)
    assert caught.value.problems[0].key == "tables.ask_encoding"
    assert f"{codec}: " in str(caught.value)
    assert values(read(tmp_path, content, encoding=codec)[0]["x"]) == [text]


@pytest.mark.parametrize("text", ["Œuvre déjà créée en été : 12 €", "Größe, Übung", "mañana ¿qué?"])
def test_words_of_western_europe_are_no_question(tmp_path, text):
    frame, _ = read(tmp_path, f"id;x\n1;{text}\n2;été\n".encode("cp1252"))
    assert values(frame["x"])[0] == text


# --- What looks like something else, and is sound


SOUND = {
    "a row with its id alone": (b"id,name,city\n1,,\n2,bob,rome\n3,al,x\n", "id name city", 3),
    "a row with its id below lines of one cell": (
        b'id,comment,score\n1,"line one\nline two",5\n2,,\n3,ok,4\n',
        "id comment score",
        3,
    ),
    "a last row without a name that is no total": (
        b"customer,qty,price\nann,1,5\nbob,1,7\ncid,1,9\n,1,3\n",
        "customer qty price",
        4,
    ),
    "zeros are no sums of zeros": (
        b"user,errors,visits\nann,0,5\nbob,0,7\ncid,0,9\n,0,3\n",
        "user errors visits",
        4,
    ),
    "a task called total": (
        b"task,hours,people\nHome,1,3\nCheckout,2,4\nTotal redesign,5,2\n",
        "task hours people",
        3,
    ),
    "an index of pandas and an empty row": (
        b",visits,revenue\nalice,,\nbob,3,4.5\ncid,4,5\ndan,1,2\n",
        "column-1 visits revenue",
        4,
    ),
    "an index of pandas and one column": (b",city\nAnn,Rome\nBob,Paris\n", "column-1 city", 2),
    "an index of pandas over numbers": (b",mrr\nann,3.5\nbob,4\ncid,6\n", "column-1 mrr", 3),
    "cohorts": (
        b"Cohort,Users,0,1,2\n2026-01,100,100%,45%,30%\n2026-02,90,100%,40%,22%\n",
        "Cohort Users 0 1 2",
        2,
    ),
    "hours of the day": (b"Day,0,1,2\nMon,5,6,7\nTue,8,9,10\n", "Day 0 1 2", 2),
    "a long heading over sentences": (
        (
            b"Timestamp,How satisfied are you with the product overall\n2026-03-01 10:00,"
            b"I like it a lot every day\n2026-03-02 10:00,It is too slow for us all\n"
        ),
        "Timestamp How-satisfied-are-you-with-the-product-overall",
        2,
    ),
    "a line of spaces": (b"id,a\n1,2\n  \n2,3\n", "id a", 2),
    "line ends of two kinds": (b"a,b\r1,2\n", "a b", 1),
    "years below years": (b"year,other\n2021,2019\n2022,2020\n2023,2021\n", "year other", 3),
    "quarters": (b"Team,Q1,Q2\nA,1,2\nB,3,4\n", "Team Q1 Q2", 2),
    "spaces behind marks": (b"id, name\n1, ab\n2, cd\n", "id name", 2),
    "settings above": (
        b"Account:;DE12;\nPeriod:;March;\nDay;What;Amount\n14.03.2026;Rent;-8,00\n15.03.2026;Pay;2,50\n",
        "Day What Amount",
        2,
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_files_lose_nothing_and_ask_nothing(tmp_path, name):
    content, headings, rows = SOUND[name]
    frame, reading = read(tmp_path, content)
    assert [heading.replace(" ", "-") for heading in frame] == headings.split()
    assert (len(frame), reading.rejected) == (rows, 0)


def test_cells_are_the_same_on_both_ways_through_the_reader(tmp_path):
    """The engine reads a file whole; line by line it is read where a cell has several lines."""
    plain = "id, name ,note\n1,ab, x\n2,c d,y \n3,,z\n"
    frame, _ = read(tmp_path, plain)
    other, _ = read(tmp_path, plain + '4,"e\nf",w\n')
    assert values(frame["note"]) == values(other["note"])[:3]
    assert values(frame["name"]) == values(other["name"])[:3]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("name,orders,revenue\nTotal,6,18\na,1,5\nb,2,6\nc,3,7\n", 2),
        ("name;orders\na;1\nb;2\nInsgesamt;3\n", 4),
        ("name,orders\na,1\nTotal,1\n", 3),
        ("name,orders\na,1\nb,2\nTotal:,3\n", 4),
        ("name,orders\na,1\nb,2\nTotal: Campaigns,3\n", 4),
    ],
)
def test_totals_by_name_are_left_out_wherever_they_stand(tmp_path, content, line):
    _, reading = read(tmp_path, content)
    assert rejected(reading) == [(line, "rejected_total")]


def test_totals_in_the_middle_are_asked_and_answered(tmp_path):
    content = "task,hours\na,1\nb,2\nTotal,3\nc,5\nAverage,2\n"
    refused(tmp_path, content, "ask_totals")
    frame, reading = read(tmp_path, content, totals="drop")
    assert values(frame["task"]) == ["a", "b", "c"]
    assert rejected(reading) == [(4, "rejected_total"), (6, "rejected_total")]
    assert len(read(tmp_path, content, totals="keep")[0]) == 5


def test_answers_reach_as_far_down_as_they_name(tmp_path):
    content = "x,y\n" * 249 + "id,v\n" + "".join(f"{row},{row}\n" for row in range(9))
    for answer in ({"header": 250}, {"skip_rows": 249}):
        frame, reading = read(tmp_path, content, **answer)
        assert (list(frame), len(frame)) == (["id", "v"], 9)
        assert decided(reading)["decided_preamble"] == {"count": 249}
    frame, _ = read(tmp_path, 'id,"two\nlines"\n1,2\n', header=2)
    assert list(frame) == ["id", "two lines"]
    _, reading = read(tmp_path, "1,2,3,4\n1,2,3\n4,5,6\n7,8,9\n", header="none")
    assert decided(reading)["decided_preamble"] == {"count": 1}


def test_backslashes_that_keep_no_quotes_stay(tmp_path):
    content = b'id,path,say\n1,"C:\\new","plain"\n2,"D:\\tmp","x"\n'
    assert values(read(tmp_path, content)[0]["path"]) == ["C:\\new", "D:\\tmp"]


def test_double_quotes_win_over_a_single_cell_in_single_ones(tmp_path):
    content = 'id,words,city\n1,"hello",\'abc\'\n2,"bye",b\n3,"x",c\n'
    assert values(read(tmp_path, content)[0]["words"]) == ["hello", "bye", "x"]


def test_versions_that_begin_with_a_year_are_no_days(tmp_path):
    frame, _ = read(tmp_path, "app,version\na,2024.1.2\nb,2024.3.1\nc,2023.12.5\n")
    assert values(frame["version"]) == ["2024.1.2", "2024.3.1", "2023.12.5"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("<table><tr><td>1</td></tr></table>\n", "web_page"),
        ("<?xml version='1.0'?>\n<Error/>\n", "web_page"),
        ('[{"id": 1, "x": 2}]\n', "web_page"),
        ("Sales\nid,b,c\n1,2,3\n3,4,5\n\nCosts\nday,x,y\n1,2,3\n5,6,3\n", "ask_delimiter"),
    ],
)
def test_what_is_no_table_is_no_column_of_lines(tmp_path, content, key):
    refused(tmp_path, content, key)


def test_texts_with_a_comma_are_one_column(tmp_path):
    content = "comment\nGreat tool,thanks\nSlow,buggy\nNice,really\n"
    assert values(read(tmp_path, content)[0]["comment"])[0] == "Great tool,thanks"


def test_subtotals_are_left_out_with_the_total(tmp_path):
    content = (
        "team,task,hours\nX,a,1\nX,b,2\nX Total,,3\nY,a,1\nY,b,2\nY Total,,3\nGrand Total,,6\n"
    )
    frame, reading = read(tmp_path, content)
    assert values(frame["hours"]) == [1, 2, 1, 2]
    assert [row for row, _ in rejected(reading)] == [4, 7, 8]


@pytest.mark.parametrize(
    ("content", "headings", "rows"),
    [
        ("Report, March 2026\nname,score\nann,3\nbob,4\n", ["name", "score"], 2),
        ("name,wait,cost\nann,pending,pending\nbob,3,4\ncid,4,5\n", ["name", "wait", "cost"], 3),
        ("Region,Sales,Sales\n,2025,2026\nN,1,2\nS,3,4\nE,5,6\n", None, 3),
    ],
)
def test_titles_words_for_nothing_and_groups_of_years(tmp_path, content, headings, rows):
    frame, _ = read(tmp_path, content)
    assert list(frame) == (headings or ["Region", "Sales / 2025", "Sales / 2026"])
    assert len(frame) == rows


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("ann@x.com,Ann,Rome\nbob@x.com,Bob,Paris\ncid@x.com,Cid,Nice\n", "ask_header"),
        (
            "Contact,,Firm,\nFirst,Last,Name,City\nAnn,Lee,Acme,Rome\nBob,Lu,Big,Nice\n",
            "ask_headings",
        ),
        (
            "email,plan,mrr\na@x.com,pro,3,2026-03-01\nb@x.com,free,4,2026-03-02\n",
            "ask_short_header",
        ),
    ],
)
def test_what_could_be_two_things_is_asked(tmp_path, content, key):
    refused(tmp_path, content, key)


def test_an_answer_without_a_use_is_refused(tmp_path):
    refused(tmp_path, '[{"a": 1}]', "useless_answer", name="export.json", totals="drop")


def test_rows_are_asked_for_by_number_where_some_are_left_out(tmp_path):
    """The engine once failed on it."""
    path = tmp_path / "export.csv"
    path.write_text(f"id,who,hours\n{ROWS}END,,\n", encoding="utf-8")
    with open_export(path, answers=Answers(profile="none")) as table:
        first = table.fetch(
            f"SELECT {ROW}, hours FROM {table.relation} WHERE hours > 5 ORDER BY {ROW} LIMIT 1"
        )
        last = table.fetch(f"SELECT hours FROM {table.relation} ORDER BY {ROW} DESC LIMIT 1")
    assert (first, last) == ([(21, 5.25)], [(10.0,)])


def test_utf_8_is_never_taken_for_utf_16(tmp_path):
    """As it would be a table of Chinese headings, and without rows."""
    refused(tmp_path, "id,text,v\n1,a,2\n2,b,3\n3,c,4\n", "encoding", encoding="utf-16")
