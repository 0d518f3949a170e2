"""Edges as vectors: what the linker's store shows, attacked with all of it. Every test of a target
that withstands the attack also shows that the same attack breaks a weak target.
"""

from dataclasses import replace

import pytest
from childlink_core.profiles import HARDENED, get_profile

from tests.attacks.population import DOB, groups
from tests.attacks.vectors import attack_blocks, pass_channels, without_numbers

ALLOWED = {"cl-2026e": 4.0, "cl-2026e-dense": 2.5}
"""Percentage points above guessing, at the density that a profile is issued for. The goal is 2.
docs/explanation/encodings.md gives the measured values.
"""


def channels(name, **changed):
    profile = get_profile(name)
    item = replace(profile.by_number[DOB], **changed)
    return pass_channels(replace(profile, passes=(item,)), DOB)


@pytest.mark.parametrize("name", HARDENED)
def test_a_store_tells_little_more_than_guessing_at_the_density_that_its_profile_is_issued_for(
    name,
):
    size = get_profile(name).births_a_day
    blocks = groups(size, 600 // size, 7)
    for people in (blocks, without_numbers(blocks)):
        found = attack_blocks(people, channels(name))
        assert found.gain <= ALLOWED[name] + 3.0 * found.error
        assert found.sure <= 0.01


def test_the_same_attack_reads_segments_of_single_fields():
    fields = (("given",), ("surname",), ("postcode",), ("sex",))
    weak = channels("cl-2026e", segments=fields, filters=())
    assert attack_blocks(groups(20, 15, 7), weak).gain > 20.0


def test_who_has_the_linkage_secret_as_well_reads_filters_and_hardly_any_segments():
    """So nobody may hold both, and only records without an NHS number carry a filter."""
    blocks = groups(20, 10, 7)
    numbers = attack_blocks(blocks, channels("cl-2026e"), leaked=True)
    filters = attack_blocks(without_numbers(blocks), channels("cl-2026e"), leaked=True)
    assert numbers.found < 0.15
    assert filters.found > 0.9
