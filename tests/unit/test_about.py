"""Questions that are built step by step give what the same call gives."""

import pytest
from childlink_client import Client, ClientError


@pytest.fixture
def client(answering_address):
    with Client(answering_address) as client:
        yield client


def test_each_step_narrows_a_question_and_the_beginning_can_be_used_again(client):
    children = client.about("reach_children")
    most = children.where(imd_quintile=[1, 2])
    assert most.by("residence").ask() == client.ask(
        "reach_children", "residence", {"imd_quintile": [1, 2]}
    )
    assert most.where(imd_quintile=5).ask() == client.ask(
        "reach_children", where={"imd_quintile": "5"}
    )
    assert children.ask() == client.ask("reach_children")
    older = children.of("2026-Q1").by("residence", "imd_quintile").ask()
    assert (older.release.id, older.by) == ("2026-Q1", ("residence", "imd_quintile"))


def test_the_last_step_says_what_to_do_with_it(client):
    asked = client.about("asq3_overall")
    assert asked.compare() == client.compare("asq3_overall")
    assert asked.inequality() == client.inequality("asq3_overall")
    assert asked.by("engaged").standardised_for("imd_quintile") == client.standardise(
        "asq3_overall", "engaged", "imd_quintile"
    )
    assert client.about("reach_children").by("residence").trend() == client.trend(
        "reach_children", "residence"
    )
    girls = asked.where(sex="female").against(sex="male")
    assert girls.contrast() == client.contrast("asq3_overall", {"sex": "female"}, {"sex": "male"})
    assert client.about("change_mental_health").by("programme").change() == client.change(
        "change_mental_health", "programme"
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda a: a.where(sex="female").compare(), r"compare cannot use where\(\)"),
        (lambda a: a.against(sex="male").ask(), r"ask cannot use against\(\)"),
        (lambda a: a.of("2026-Q1").trend(), r"trend cannot use of\(\)"),
        (lambda a: a.by("sex", "engaged").inequality(), "takes one dimension"),
        (lambda a: a.by("residense").ask(), "residence"),
    ],
)
def test_a_step_that_would_have_no_effect_is_refused(client, ask, says):
    with pytest.raises(ClientError, match=says):
        ask(client.about("asq3_overall"))
