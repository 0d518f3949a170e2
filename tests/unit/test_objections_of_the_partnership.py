"""Partnership-wide objections are keyed hashes under the linkage secret. A list that this site
cannot read in full stops the run: the people in it would be sent.
"""

import pytest
from childlink_ingest.eligibility.lists import read_objection_tokens
from childlink_ingest.eligibility.rules import OBJECTED, Objections, Permissions, objection_tokens
from childlink_ingest.errors import PermitError
from childlink_ingest.model.rows import Identity

OLD, NEW = {1: b"1" * 32}, {2: b"2" * 32}
NUMBER = "9990000026"


def listed(tmp_path, *tokens):
    path = tmp_path / "objections.txt"
    path.write_text("".join(f"{token}\n" for token in tokens))
    return path


def problem(path, keys):
    tokens = read_objection_tokens(path, keys)
    rules = Permissions(
        objections=Objections(tokens=tokens),
        tokens_of=lambda number: objection_tokens(keys, number),
    )
    return rules.problem("child", Identity(person_id="7", nhs_number=NUMBER))


@pytest.mark.parametrize("made_under", [OLD, NEW])
def test_during_a_rotation_a_list_under_either_secret_holds_people_back(tmp_path, made_under):
    path = listed(tmp_path, *objection_tokens(made_under, NUMBER))
    assert problem(path, {**OLD, **NEW}) == OBJECTED


def test_after_a_rotation_a_list_under_the_old_secret_stops_the_run(tmp_path):
    path = listed(tmp_path, *objection_tokens(OLD, NUMBER), *objection_tokens(NEW, NUMBER))
    with pytest.raises(PermitError) as refused:
        read_objection_tokens(path, NEW)
    assert "1 objections under version 1" in refused.value.render()
    assert "holds version 2" in refused.value.render()
    assert "objections export" in refused.value.render()


def test_a_site_that_lacks_the_next_secret_does_not_run_with_a_list_under_it(tmp_path):
    path = listed(tmp_path, *objection_tokens(NEW, NUMBER))
    with pytest.raises(PermitError, match="under version 2"):
        read_objection_tokens(path, OLD)


def test_a_list_of_an_earlier_release_names_no_version_and_counts_as_the_first(tmp_path):
    [token] = objection_tokens(OLD, NUMBER)
    path = listed(tmp_path, token.removeprefix("1:"))
    assert problem(path, OLD) == OBJECTED
    with pytest.raises(PermitError):
        read_objection_tokens(path, NEW)


@pytest.mark.parametrize("text", ["zz", "1:zz", "one:ab", "é"])
def test_a_damaged_list_stops_the_run(tmp_path, text):
    with pytest.raises(PermitError, match="cannot be read"):
        read_objection_tokens(listed(tmp_path, text), OLD)
