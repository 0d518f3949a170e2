"""The linkage secret has leaked. What can an attacker open with it: of the data that the linker
received, and of the data that it stores under its own key?

These are dictionary attacks. A holder of the key encodes all known people and looks for the
results. No cryptanalysis is needed.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import product

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import SEGMENT_BYTES, get_profile
from childlink_core.references import REFERENCE_BYTES, keyed_hash
from childlink_ingest.model.rows import Role
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject
from childlink_linker.matching.encodings import Encodings


def numbers_of_tokens(
    tokens: Iterable[bytes], numbers: Iterable[str], linkage: SecretKey
) -> dict[bytes, str]:
    """Try NHS numbers: their tokens under the leaked secret, and the linker's hashing with no known
    key.
    """
    wanted, key = set(tokens), linkage.derive("nhs number token")
    roles: tuple[Role, ...] = ("child", "adult")
    found = {}
    for number, role in product(numbers, roles):
        token = keyed_hash(key, role, number)
        again = b"nhs" + linkage.version.to_bytes(4, "big") + token
        guesses = [token, hashlib.blake2b(again, digest_size=REFERENCE_BYTES).digest()]
        guesses += [
            hashlib.blake2b(again, key=k, digest_size=REFERENCE_BYTES).digest()
            for k in (linkage.secret, key)
        ]
        # The store keeps the first eight bytes of a token.
        found |= {
            guess: number for whole in guesses for guess in (whole, whole[:8]) if guess in wanted
        }
    return found


Segments = set[tuple[int, int, bytes]]
"""Pass, place and segment."""


def people_of_segments(
    held: Sequence[Segments], known: Sequence[Subject], linkage: SecretKey
) -> float:
    """Encode everybody the attacker knows. Returns the share of records with a segment that the
    attacker computed.
    """
    made = set().union(
        *(segments_of(record) for record in Encoder(get_profile(), linkage).encode(known))
    )
    return sum(bool(segments & made) for segments in held) / len(held)


def digests_of(stored: Sequence[tuple[wire.EncodedRecord, bytes]], linkage: SecretKey) -> int:
    """Number of digests in the store that match the records beside them, under no key or the leaked
    one. Such a digest would confirm guesses about what the linker has hashed again.
    """
    found = 0
    for record, digest in stored:
        content = record.SerializeToString(deterministic=True)
        guesses = [hashlib.blake2b(content, digest_size=16).digest()]
        guesses += [
            hashlib.blake2b(content, key=key, digest_size=16).digest()
            for key in (linkage.secret, b"")
        ]
        found += digest in guesses
    return found


def segments_of(record: wire.EncodedRecord) -> Segments:
    """The segments of a record as it is sent."""
    return {
        (item.pass_number, at // SEGMENT_BYTES, segment)
        for item in record.passes
        for at in range(0, len(item.filter), SEGMENT_BYTES)
        if any(segment := item.filter[at : at + SEGMENT_BYTES])
    }


def segments_of_rows(stored: Encodings) -> list[Segments]:
    """The segments of every record as the linker stores it."""
    return [
        {
            (number, at, segment.tobytes())
            for number, item in stored.passes.items()
            for at, segment in enumerate(item.segments[row])
            if segment
        }
        for row in range(len(stored))
    ]
