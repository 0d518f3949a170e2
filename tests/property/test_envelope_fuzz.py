"""Reading any bytes on a topic ends in a refusal, never in a crash."""

from childlink.wire.v1 import encoded_pb2, observation_pb2
from childlink_analytics.releasing.store.intake import read_observation
from childlink_catalogue.catalogue import get_dataset
from childlink_core import envelope
from childlink_core.errors import BatchRefusedError
from childlink_core.profiles import get_profile
from childlink_linker.linking.intake import problem_of_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)


@quick
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(directory, message):
    try:
        envelope.verify(message, "encodings.trust-a", "linker", directory)
    except BatchRefusedError as refusal:
        assert refusal.reason
    else:
        raise AssertionError("random bytes were believed")


@quick
@given(
    st.builds(
        encoded_pb2.EncodedRecord,
        link_reference=st.binary(max_size=20),
        facet=st.binary(max_size=6),
        role=st.sampled_from([0, 1, 2]),
        capsule=st.binary(max_size=60),
        nhs_token=st.none() | st.binary(max_size=20),
        passes=st.lists(
            st.builds(
                encoded_pb2.PassEncoding,
                pass_number=st.integers(0, 6),
                block_token=st.binary(max_size=20),
                filter=st.binary(max_size=70),
            ),
            max_size=4,
        ),
    )
)
def test_a_malformed_record_has_a_reason_and_a_good_one_is_complete(record):
    problem = problem_of_record(record, get_profile())
    if not problem:
        assert len(record.link_reference) == 16
        assert record.nhs_token or record.passes


@quick
@given(
    st.builds(
        observation_pb2.Observation,
        row_reference=st.binary(max_size=18),
        child_reference=st.none() | st.binary(max_size=18),
        values=st.lists(
            st.builds(observation_pb2.Value, text=st.text(max_size=8))
            | st.builds(observation_pb2.Value, integer=st.integers(-(2**63), 2**63 - 1))
            | st.builds(observation_pb2.Value, flag=st.booleans()),
            max_size=14,
        ),
    )
)
def test_a_malformed_observation_has_a_reason(observation):
    row = read_observation(
        observation, get_dataset("asq3"), [f.name for f in get_dataset("asq3").fields]
    )
    assert isinstance(row, str | dict)
