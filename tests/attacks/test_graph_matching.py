"""Graph matching. Every test of a target that withstands the attack also shows that the same attack
breaks a weak target.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from childlink_core.profiles import get_profile

from tests.attacks.population import (
    DOB,
    NAME,
    ProfileTarget,
    by_salt,
    dob_pass,
    groups,
    people,
    plain_clk,
    twins,
)
from tests.attacks.rates import rate_within_groups, rate_without_dates
from tests.attacks.store import everyone

ALLOWED = 2.5
"""Percentage points above guessing within the group. The project's goal is 1.
docs/explanation/attacks.md gives the measured values: people who share two fields with a person
born on the same day, above all twins, can be told apart from people who do not.
"""
SIZES = [(2, 400), (5, 160), (10, 80), (20, 40), (50, 16), (100, 8)]
"""People with one date of birth per group, and the number of such groups in a test."""
SINGLE_FIELDS = (("given",), ("surname",), ("postcode",), ("sex",))


@dataclass(frozen=True)
class Blank:
    """Segments without any information."""

    def __call__(self, subjects, key):
        return (
            np.random.default_rng([key, len(subjects)]).random((len(subjects), 448)) < 0.5
        ).astype(np.uint8)


def test_plain_clks_of_six_hundred_people_are_read_nearly_all():
    assert rate_within_groups([people(600, seed=5)], plain_clk).found > 0.95


def test_segments_that_say_nothing_are_not_read():
    for size, count in ((5, 100), (20, 20)):
        assert abs(rate_within_groups(groups(size, count, 7), Blank()).gain) < 6.0


@pytest.mark.parametrize(("size", "count"), SIZES)
def test_the_dob_pass_tells_no_more_than_guessing_to_one_who_knows_the_date_and_everybody_born_on_it(  # noqa: E501
    size, count
):
    rate = rate_within_groups(groups(size, count, 7), dob_pass())
    assert rate.gain <= ALLOWED + 3.0 * rate.error


def test_segments_of_single_fields_would_be_read():
    assert rate_within_groups(groups(20, 20, 7), dob_pass(SINGLE_FIELDS)).gain > 15.0


def test_the_dob_pass_is_not_read_by_one_who_does_not_know_the_dates_and_single_fields_would_be():
    blocks = by_salt(people(3_000, seed=4), DOB, least=2)[:60]
    strong, weak = (
        rate_without_dates(blocks, target) for target in (dob_pass(), dob_pass(SINGLE_FIELDS))
    )
    assert strong.found <= strong.guessed + 0.08
    assert weak.found > strong.found + 0.05


def test_of_the_other_passes_no_more_is_read_than_guessing():
    profile = everyone(get_profile())
    name = rate_within_groups(by_salt(people(3_000, 4), NAME), ProfileTarget(profile, NAME))
    assert name.gain <= ALLOWED + 3.0 * name.error
    for number in (3, 4):
        mothers = rate_within_groups(twins(100, 5), ProfileTarget(profile, number))
        assert mothers.gain <= ALLOWED + 3.0 * mothers.error
