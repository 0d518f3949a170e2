"""CLKs at the linker: what it refuses, how similar it finds two, and what it makes of that."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core import reasons
from childlink_core.errors import UserError
from childlink_core.keys import SecretKey
from childlink_core.profiles import CLK_PROFILES, get_profile, parse_profile, profile_for
from childlink_ingest.model.rows import Identity
from childlink_ingest.pseudonymise.encoder import Encoder, is_linkable
from childlink_ingest.pseudonymise.split import Subject
from childlink_linker.clustering.shared_ids import shared_ids
from childlink_linker.linking.intake import TokenHasher, hashed_again, problem_of_record
from childlink_linker.matching.blocking import keys, pairs_of
from childlink_linker.matching.encodings import from_rows
from childlink_linker.matching.estimate_similarity import (
    bits_of_overlap,
    lowered,
    with_similarities,
)
from childlink_linker.matching.parameters import (
    load_parameters,
    parse_parameters,
    render_parameters,
)
from childlink_linker.matching.similarity import LEVELS, STEPS, codes_of, dice, in_words
from childlink_linker.matching.weights import Observed, weigh
from childlink_linker.records import StoredRecord
from hypothesis import given
from hypothesis import strategies as st

PROFILE = get_profile(CLK_PROFILES[0])
LINKAGE = SecretKey("partnership", 1, b"L" * 32)
HASHER = TokenHasher(b"t" * 32)
PARAMETERS = load_parameters()
plausible = st.sets(st.integers(0, 1023), min_size=90, max_size=860)


def subject(
    given_name="amina", surname="okafor", born=date(2020, 1, 2), postcode="SE15AB", clk=b""
):
    identity = Identity(
        "1",
        given_name=given_name,
        surname=surname,
        date_of_birth=born,
        sex="f",
        postcode=postcode,
        clk=clk,
    )
    return Subject("child", identity, b"r" * 16, b"a" * 16, b"f" * 4)


def clk_of(bits):
    flags = np.zeros(1024, dtype=bool)
    flags[list(bits)] = True
    return np.packbits(flags).tobytes()


def record_with(clk, **other):
    item = wire.PassEncoding(pass_number=9, block_token=b"t" * 16, bloom_filters=clk, **other)
    return wire.EncodedRecord(
        link_reference=b"r" * 16,
        facet=b"f" * 4,
        role=wire.ROLE_CHILD,
        capsule=b"c",
        passes=[item],
    )


def stored(clks, facets=None):
    records = [record_with(clk) for clk in clks]
    for number, record in enumerate(records):
        record.facet = (facets or ["f"] * len(clks))[number].ljust(4).encode()
    return hashed_again(records, 1, PROFILE, HASHER)


@given(plausible)
def test_a_plausible_clk_is_taken(bits):
    assert problem_of_record(record_with(clk_of(bits)), PROFILE) == ""


@pytest.mark.parametrize(
    "record",
    [
        record_with(clk_of(range(400))[:64]),
        record_with(clk_of(range(400)) + b"\0"),
        record_with(bytes(128)),
        record_with(b"\xff" * 128),
        record_with(b""),
        record_with(clk_of(range(400)), filter=b"abcd"),
        record_with(clk_of(range(400)), present=1),
    ],
)
def test_any_other_is_refused_with_its_reason(record):
    assert problem_of_record(record, PROFILE) == reasons.BAD_FILTER


@given(plausible, plausible)
def test_the_linkers_similarity_is_dices_coefficient_of_the_clks_that_were_sent(one, other):
    rows = from_rows(stored([clk_of(one), clk_of(other)]), PROFILE)
    [found] = dice(rows, np.array([0]), np.array([1]), PROFILE)
    assert found == pytest.approx(2 * len(one & other) / (len(one) + len(other)), abs=1e-12)


def test_a_stored_clk_is_not_the_one_that_was_sent():
    sent = clk_of(range(0, 900, 2))
    [row] = stored([sent])
    assert sent not in row
    assert np.packbits(np.unpackbits(np.frombuffer(sent, np.uint8)), bitorder="little") not in row


@given(st.lists(st.floats(0, 1), min_size=2))
def test_a_greater_similarity_never_has_a_later_code(similarities):
    codes = codes_of(np.array(sorted(similarities)))
    assert (np.diff(codes) <= 0).all()
    assert set(codes.tolist()) <= set(range(1, LEVELS))


def test_every_code_has_its_words():
    assert len({in_words(code) for code in range(1, LEVELS)}) == LEVELS - 1
    assert in_words(int(codes_of(np.array([STEPS[3]]))[0])).startswith(f"{STEPS[3]:.2f}")


@pytest.mark.parametrize("profile", CLK_PROFILES)
def test_equal_clks_are_always_compared(profile):
    profile = get_profile(profile)
    records = Encoder(profile, LINKAGE).encode([subject(), subject(), subject("oliver", "khan")])
    rows = from_rows(hashed_again(records, 1, profile, HASHER), profile)
    assert [0, 1] in pairs_of(*keys(rows, profile)).tolist()


def test_whose_date_differs_is_compared_only_without_the_salt():
    people = [subject(), subject(born=date(2021, 6, 7))]
    for name, compared in zip(CLK_PROFILES, (True, False), strict=True):
        profile = get_profile(name)
        records = Encoder(profile, LINKAGE).encode(people)
        rows = from_rows(hashed_again(records, 1, profile, HASHER), profile)
        [similarity] = dice(rows, np.array([0]), np.array([1]), profile)
        assert bool(np.isfinite(similarity)) is compared


def test_a_clk_of_a_file_is_sent_in_place_of_our_own():
    theirs = clk_of(range(300))
    [own, taken] = Encoder(PROFILE, LINKAGE).encode([subject(), subject(clk=theirs)])
    assert taken.passes[0].bloom_filters == theirs != own.passes[0].bloom_filters


def test_who_has_too_few_fields_has_no_clk_and_cannot_be_linked():
    one = subject(surname="", born=None)
    bare = replace(one, identity=replace(one.identity, postcode=""))
    assert not is_linkable(bare, PROFILE)
    assert is_linkable(subject(surname=""), PROFILE)


def test_an_id_of_two_different_people_joins_nobody():
    records = Encoder(PROFILE, LINKAGE).encode(
        [subject(), subject("oliver", "szymanski", date(2018, 11, 30), "SW98JJ")]
    )
    rows = hashed_again(records, 1, PROFILE, HASHER)
    held = [
        StoredRecord(number, 7, b"f" * 4, 1, bytes([number]), row)
        for number, row in enumerate(rows)
    ]
    assert shared_ids(held, PROFILE) == {7}
    assert shared_ids([held[0], replace(held[0], record_id=9)], PROFILE) == set()


def weights_by_code(weights):
    codes = np.arange(1, LEVELS, dtype=np.int8)
    nothing = {name: np.zeros(len(codes), dtype=np.int8) for name in Observed.__annotations__}
    return weigh(Observed(**nothing | {"similarity": codes}), weights).bits


def test_by_default_more_alike_counts_for_more():
    for weights in PARAMETERS.roles.values():
        bits = weights_by_code(weights)
        assert (np.diff(bits) < 0.8).all(), "hardly ever less"
        assert bits[0] > PARAMETERS.thresholds.link > PARAMETERS.thresholds.review > bits[9]


@given(
    st.lists(st.integers(0, 1000), min_size=LEVELS, max_size=LEVELS),
    st.lists(st.integers(0, 1000), min_size=LEVELS, max_size=LEVELS),
)
def test_an_estimate_never_lets_more_alike_count_for_less(across, inside):
    weights = with_similarities(
        PARAMETERS.roles[1], np.array(across, float), np.array(inside, float), 1e6, 1e6
    )
    odds = np.array(weights.match.similarity) / np.array(weights.other.similarity)
    assert (np.diff(odds) <= 1e-12 * odds[:-1]).all()
    again = parse_parameters(
        render_parameters(replace(PARAMETERS, roles={1: weights, 2: weights}), "x")
    )
    assert again.roles[1].match.similarity == pytest.approx(weights.match.similarity, rel=1e-5)


def test_sources_that_hold_the_same_people_need_less_evidence():
    def overlap(matches):
        counts = np.zeros(LEVELS)
        counts[1] = matches
        found = with_similarities(PARAMETERS.roles[1], counts, np.zeros(LEVELS), 4e8, 4e8)
        return bits_of_overlap(found, np.array([20_000, 20_000]))

    assert overlap(200) < 0.1
    assert overlap(10_000) == pytest.approx(1.0, abs=0.1)
    assert overlap(20_000) == 2.0, "and never more than two bits"
    assert lowered(PARAMETERS.thresholds, 1.0).link == PARAMETERS.thresholds.link - 1.0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"l": 1024', '"l": 1000'),
        ("band_bits = 16", "band_bits = 40"),
        ('fields = ["given", ', "fields = ["),
        ("[pass.clk]", 'segments = [["given"]]\n[pass.clk]'),
        ("[[pass]]", '[[pass]]\nnumber = 1\nname = "x"\nroles = []\nsalt = []\n[[pass]]'),
    ],
)
def test_a_profile_whose_clk_cannot_be_made_is_refused(old, new):
    from importlib.resources import files

    text = (files("childlink_core.profiles") / f"{PROFILE.id}.toml").read_text()
    assert old in text
    with pytest.raises(UserError):
        parse_profile(text.replace(old, new))


def test_another_schema_is_another_profile():
    from importlib.resources import files

    text = (files("childlink_core.profiles") / f"{PROFILE.id}.toml").read_text()
    other = parse_profile(text.replace('"bitsPerFeature": 40', '"bitsPerFeature": 41'))
    assert other.fingerprint != PROFILE.fingerprint


def test_no_number_of_births_leads_to_a_profile_of_clks():
    assert not {profile_for(births).id for births in range(1, 21)} & set(CLK_PROFILES)
