"""Identifiers: a single mistyped character is detected."""

from childlink_core.ids import ALPHABET, is_valid, new_id
from hypothesis import given
from hypothesis import strategies as st

kinds = st.sampled_from(["C", "A", "F"])


@given(kinds)
def test_a_new_identifier_is_valid(kind):
    assert is_valid(new_id(kind))


@given(kinds, st.integers(1, 13), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_seen(kind, position, character):
    identifier = new_id(kind)
    wrong = identifier[:position] + character + identifier[position + 1 :]
    assert is_valid(wrong) == (wrong == identifier)


@given(kinds, st.integers(1, 12))
def test_two_swapped_neighbours_are_seen(kind, position):
    identifier = new_id(kind)
    characters = list(identifier)
    characters[position], characters[position + 1] = characters[position + 1], characters[position]
    wrong = "".join(characters)
    assert is_valid(wrong) == (wrong == identifier)


@given(st.text(max_size=20))
def test_rubbish_is_not_valid_and_does_not_raise(text):
    assert not is_valid(text) or len(text) == 14
