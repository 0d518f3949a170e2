"""The analyst's client against a real answering process: values, data frames, charts, tables that
fit the terminal, and helpful errors.
"""

import json
import re

import pytest
from childlink_access.policy import new_token, sha256
from childlink_client import Client, ClientError
from childlink_client.cli import main
from childlink_client.render import render
from click.testing import CliRunner

from tests.support import answers


@pytest.fixture
def client(answering_address):
    with Client(answering_address) as client:
        yield client


@pytest.fixture
def childlink(answering_address, tmp_path, monkeypatch):
    """Runs a command with its own home folder. Returns the output and the exit code."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("CHILDLINK_ADDRESS", raising=False)

    def run(*arguments, address=answering_address, **options):
        asked = [*(("--address", address) if address else ()), *map(str, arguments)]
        return CliRunner().invoke(main, asked, **options)

    return run


def test_every_share_and_mean_has_its_interval_in_tables_frames_and_words(client):
    answer = client.ask("asq3_overall", "imd_quintile")
    shown = [cell for cell in answer.cells if cell.estimate is not None]
    assert len(shown) > 3
    for cell in shown:
        assert cell.low < cell.estimate < cell.high
        assert f"({cell.low:.1%} to {cell.high:.1%})" in str(answer)
    frame = answer.to_pandas()
    assert (frame["share_low"].dropna() < frame["share"].dropna()).all()
    assert "Intervals are 95%" in str(answer)
    mean = client.ask("mean_services").cells[0]
    assert mean.low < mean.estimate < mean.high
    count = client.ask("reach_children").cells[0]
    assert (count.low, count.high) == (None, None)


def test_the_largest_and_the_smallest_group_are_not_ranked_inside_the_noise(client):
    answer = client.ask("asq3_overall", "sex")
    shown = sorted(
        (cell for cell in answer.cells if cell.estimate is not None), key=lambda c: c.estimate
    )
    apart = shown[0].high < shown[-1].low
    assert ("may be chance" in answer.describe()) == (not apart)


def test_withheld_is_null_and_not_zero_in_either_data_frame(client):
    answer = client.ask("reach_children", by=["ethnicity", "imd_quintile"])
    hidden = sum(cell.count is None for cell in answer.cells)
    assert hidden > 0
    polars, pandas = answer.to_polars(), answer.to_pandas()
    assert polars["count"].null_count() == pandas["count"].isna().sum() == hidden
    assert (
        polars["count"].sum()
        == pandas["count"].sum()
        == sum(cell.count or 0 for cell in answer.cells)
    )
    assert polars.columns == ["ethnicity", "imd_quintile", "count", "count_withheld"]


def test_every_kind_of_answer_is_drawn_and_withheld_cells_are_written_and_not_drawn(client):
    figure = client.ask("reach_children", by=["residence"]).plot()
    assert "<10" in [text.get_text() for text in figure.axes[0].texts]
    for study in (
        client.compare("asq3_overall"),
        client.change("change_mental_health", "programme"),
        client.pathways(),
        client.trend("reach_children", ["residence"]),
        client.inequality("asq3_overall"),
    ):
        assert study.plot().axes[0].get_lines(), study
    over_time = client.ask("participants", by=["quarter", "participation"]).plot()
    assert [line.get_label() for line in over_time.axes[0].get_lines()] == [
        "New in the quarter",
        "Came before",
    ]
    with pytest.raises(ClientError, match="at most two"):
        client.ask("asq3_overall", by=["engaged", "level", "imd_quintile"]).plot()


def test_a_notebook_shows_a_table_with_headers_marks_what_is_withheld_and_gives_the_citation(
    client,
):
    page = client.ask("reach_children", by=["residence"])._repr_html_()
    assert '<th scope="row">In the programme&#x27;s area</th>' in page
    assert "<em>&lt;10</em>" in page
    assert "childlink release 2026-Q2" in page
    assert "Odds ratio, adjusted" in client.compare("asq3_overall")._repr_html_()


def test_tables_fit_into_80_columns_whole_and_say_what_is_withheld(client):
    for found in (
        client.ask("reach_children", ["ethnicity", "imd_quintile"]),
        client.ask("asq3_overall", ["engaged", "imd_quintile"], explain=True),
        client.pathways(),
        client.change("change_mental_health", "programme"),
        client.trend("reach_children", ["residence"]),
    ):
        text = render(found, 80)
        assert max(map(len, text.splitlines())) <= 80
        assert "…" not in text, "no text is cut off"
    assert "<10" in render(client.ask("reach_children", ["residence"]), 80)


def test_explain_says_of_each_cell_why_and_only_when_it_is_asked(childlink, client):
    told = childlink("ask", "reach_children", "--by", "residence", "--explain").output
    assert "Not recorded: The count is withheld. Its protected figure is under 10" in told
    assert "area: The count is shown" in re.sub(r"\s+", " ", told)
    assert not any(
        cell.explanation for cell in client.ask("reach_children", by=["residence"]).cells
    )


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("compare", "asq3_overall"), "Odds ratio, adjusted"),
        (("compare", "asq3_overall", "--missed", "1%"), "Odds ratio, corrected for missed links"),
        (("standardise", "asq3_overall", "--by", "engaged", "--for", "imd_quintile"), "as it is"),
        (("change", "change_mental_health", "--by", "programme"), "PAIRS"),
        (("trend", "reach_children", "--by", "residence"), "2026-Q1"),
        (("pathways", "pairs"), "Went on to another"),
        (("inequality", "asq3_overall"), "Slope index of inequality"),
    ],
)
def test_each_study_is_a_command_that_prints_json_and_writes_csv_and_a_chart(
    childlink, tmp_path, arguments, shown
):
    told = childlink(*arguments, "--csv", tmp_path / "a.csv", "--chart", tmp_path / "a.svg")
    assert told.exit_code == 0, told.output
    assert shown in told.output
    assert "childlink release 2026-Q2" in told.output
    rows = json.loads(childlink(*arguments, "--json").output)["rows"]
    assert (tmp_path / "a.csv").read_text().count("\n") == 1 + len(rows)
    assert "<svg" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("0.25", "write 0.25% if you mean percent"),
        ("1,5%", "is no percentage"),
        ("50%", "give 0% to below 50%"),
        ("-1%", "give 0% to below 50%"),
    ],
)
def test_a_share_of_missed_links_is_a_percentage(childlink, given, says):
    told = childlink("compare", "asq3_overall", f"--missed={given}")
    assert (told.exit_code, says in told.output) == (2, True), told.output


def test_a_report_is_written_by_command_for_the_year_and_for_a_service(childlink, tmp_path):
    assert childlink("report", "annual", tmp_path / "a.html").exit_code == 0
    assert "<h1>Annual report 2025</h1>" in (tmp_path / "a.html").read_text()
    assert childlink("report", "annual", "--year", "2024", tmp_path / "b.html").exit_code == 0
    assert "<h1>Annual report 2024</h1>" in (tmp_path / "b.html").read_text()
    assert "give a year" in childlink("report", "annual", "--year", "x", tmp_path / "c.html").output
    assert (
        childlink("report", "quarterly", "--service", "Baby Steps", tmp_path / "q.html").exit_code
        == 0
    )
    assert "Quarterly report: Baby Steps" in (tmp_path / "q.html").read_text()
    wrong = childlink("report", "quarterly", "--service", "Baby Step", tmp_path / "q.html")
    assert (wrong.exit_code, "Did you mean: Baby Steps (baby_steps)" in wrong.output) == (1, True)
    assert "cannot be written" in childlink("report", "annual", tmp_path / "none" / "a.html").output


@pytest.mark.parametrize(
    "asked",
    [
        {"measure": "zzzz"},
        {"measure": "z" * 3_000},
        {"measure": "\N{SNOWMAN}" * 3_000},
        {"measure": "reach_children", "by": "zzzz" * 1_000},
        {"measure": "reach_children", "where": {"residence": ["z" * 3_000]}},
        {"measure": "reach_children", "release": "z" * 3_000},
    ],
)
def test_a_name_like_no_other_gets_an_error_in_words_however_much_there_is_to_say(client, asked):
    """An error travels in headers. With all measures' names it was larger than they may be."""
    with pytest.raises(ClientError) as raised:
        client.ask(**asked)
    said = str(raised.value)
    assert len(said) < 2_000
    assert not said.startswith("RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("ask", "reach_childen"), "reach_children"),
        (("ask", "reach_children", "--by", "residense"), "residence"),
        (("ask", "reach_children", "--where", "residence=areas"), "area"),
        (("ask", "reach_children", "--release", "2026-Q9"), "2026-Q2"),
        (("compare", "reach_children"), "asq3_overall"),
        (("change", "reach_children"), "change_mental_health"),
        (("pathways", "pears"), "pairs"),
        (("ask", "reach_children", "--where", "residence"), "DIMENSION=CATEGORY"),
        (("ask", "reach_children", "--by", "residence", "--chart", "a.doc"), ".png or .svg"),
    ],
)
def test_a_wrong_name_gets_the_nearest_and_no_traceback(childlink, arguments, near):
    told = childlink(*arguments)
    assert told.exit_code == 1
    assert told.output.startswith("error: ")
    assert near in told.output
    assert "Traceback" not in told.output


def test_login_tries_the_address_remembers_it_and_completes_measures_and_logout_forgets(
    childlink, answering_address, tmp_path
):
    assert childlink("login", "127.0.0.1:1", address="").exit_code == 1
    assert childlink("releases", address="").exit_code == 1, "no settings were saved"
    told = childlink("login", answering_address, address="")
    assert "answers; the newest of 2 releases is 2026-Q2" in told.output
    assert "2026-Q1" in childlink("releases", address="").output
    completing = {
        "_CHILDLINK_COMPLETE": "bash_complete",
        "COMP_WORDS": "childlink ask reach_",
        "COMP_CWORD": "2",
    }
    assert "reach_children" in childlink(address="", env=completing, prog_name="childlink").output
    assert childlink("logout", address="").exit_code == 0
    assert (
        "reach_children" not in childlink(address="", env=completing, prog_name="childlink").output
    )
    assert not list((tmp_path / "home").rglob("*.toml"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell_without_a_service(childlink, shell):
    told = childlink("completion", shell, address="127.0.0.1:1")
    assert told.exit_code == 0
    assert "_CHILDLINK_COMPLETE" in told.output


def test_the_access_token_is_kept_for_its_owner_alone_and_sent_with_every_call(childlink, tmp_path):
    token, policy, releases = new_token(), tmp_path / "policy.toml", tmp_path / "releases"
    policy.write_text(
        f'[[person]]\nname = "an.alyst"\nroles = ["analyst"]\ntoken_sha256 = "{sha256(token)}"\n'
    )
    answers.publish(releases, "2026-Q2", 1, "2026-06-30", people=50)
    with answers.answering(releases, policy=policy) as address:
        refused = childlink("releases", address=address)
        assert refused.exit_code == 1
        assert "Ask the people who keep the service's access policy." in refused.output
        assert childlink("login", address, "--token", address="", input=f"{token}\n").exit_code == 0
        [kept] = (tmp_path / "home").rglob("token")
        assert kept.stat().st_mode & 0o077 == 0
        assert childlink("login", address, "--token", address="", input="mistyped\n").exit_code == 1
        assert [kept] == list((tmp_path / "home").rglob("token*")), (
            "the working token is still there, and nothing else"
        )
        assert "2026-Q2" in childlink("releases", address="").output
        assert childlink("ask", "reach_children", address="").exit_code == 0
        with Client(address, token=token) as client:
            assert client.measures()


def test_errors_say_what_to_do_without_a_traceback(childlink, tmp_path):
    for arguments, says in (
        (("--ca", tmp_path / "none.pem", "releases"), "cannot be read"),
        (("--certificate", "a.pem", "releases"), "needs --ca"),
        (("--token-file", tmp_path / "none", "releases"), "cannot be read"),
        (("ask", "reach_children", "--csv", tmp_path / "none" / "a.csv"), "cannot be written"),
        (("compare", "asq3_overall", "--csv", tmp_path / "none" / "a.csv"), "cannot be written"),
        (("explore", "--no-browser", "--host", "0.0.0.0"), "asks in your name"),  # noqa: S104
    ):
        told = childlink(*arguments)
        assert (told.exit_code, told.output.count("error: ")) == (1, 1), told.output
        assert says in told.output
    silent = childlink("releases", address="127.0.0.1:1")
    assert "does not answer. Check the address" in silent.output
    (tmp_path / "home" / "childlink").mkdir(parents=True)
    (tmp_path / "home" / "childlink" / "login.toml").write_text("address = ")
    assert "Run: childlink login" in childlink("releases", address="").output


def test_one_dimension_and_numbers_are_taken_as_people_write_them(client):
    one = client.ask("reach_children", by="imd_quintile", where={"imd_quintile": [1, 2]})
    usual = client.ask("reach_children", by=["imd_quintile"], where={"imd_quintile": ["1", "2"]})
    assert [cell.count for cell in one.cells] == [cell.count for cell in usual.cells]
    assert client.ask("reach_children", "residence").cells
