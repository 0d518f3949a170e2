"""The linkage secret has leaked. What does it open: what the linker received, what it stores, and with or without its own key?

Dictionary attacks: of NHS numbers on tokens and on digests of records, and of dates and names on filters. A filter under a known
key is a hash without salt: whoever has the key needs no cryptanalysis.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_core.references import REFERENCE_BYTES, keyed_hash
from childlink_ingest.encode import Encoder
from childlink_ingest.rows import Identity, Role
from childlink_ingest.split import Subject

from tests.attacks.population import DOB, Bits, filters_of


def numbers_of_tokens(tokens: Iterable[bytes], numbers: Iterable[str], linkage: SecretKey) -> dict[bytes, str]:
    """Try NHS numbers: their tokens under the leaked secret, and the ways in which the linker hashes them with no key known."""
    wanted, key = set(tokens), linkage.derive("nhs number token")
    roles: tuple[Role, ...] = ("child", "adult")
    found = {}
    for number, role in product(numbers, roles):
        token = keyed_hash(key, role, number)
        again = b"nhs" + linkage.version.to_bytes(4, "big") + token
        guesses = [token, hashlib.blake2b(again, digest_size=REFERENCE_BYTES).digest()]
        guesses += [hashlib.blake2b(again, key=k, digest_size=REFERENCE_BYTES).digest() for k in (linkage.secret, key)]
        found |= {guess: number for guess in guesses if guess in wanted}
    return found


def numbers_of_digests(
    stored: Sequence[tuple[wire.EncodedRecord, bytes]], days: Sequence[date], numbers: Sequence[str], linkage: SecretKey
) -> list[str]:
    """Try NHS numbers on the store, whose tokens are hashed under a key that the attacker lacks: each record's number, or "".

    Beside a record lies its digest, which is not keyed and was taken over the tokens as they came. So a guess of the number (and
    of the date, which the filter gives away: `read_filters`) is put in, and the digest says whether it is right. This tries
    records with a number, a date and the dob pass alone, without declared carers (the others have their own table).
    """
    number_key, profile = linkage.derive("nhs number token"), get_profile()
    token_key = linkage.derive(f"{profile.id} pass {DOB} token")
    found = []
    for (record, digest), day in zip(stored, days, strict=True):
        role: Role = "child" if record.role == wire.ROLE_CHILD else "adult"
        guess = wire.EncodedRecord()
        guess.CopyFrom(record)
        for item in guess.passes:
            item.block_token = keyed_hash(token_key, role, day.isoformat())
        right = ""
        for number in numbers:
            guess.nhs_token = keyed_hash(number_key, role, number)
            if hashlib.blake2b(guess.SerializeToString(deterministic=True), digest_size=16).digest() == digest:
                right = number
        found.append(right)
    return found


def read_filters(
    filters: Bits, linkage: SecretKey, days: Sequence[date], given: Sequence[str], surnames: Sequence[str]
) -> list[tuple[date, str, str]]:
    """Try dates and names on filters of the dob pass: each filter's date, given name and surname.

    Under a known key the bits of a name under a date are known. The right date has a name all of whose bits are set, under a
    wrong one hardly any name has: 3,650 dates and some hundred names are a few million comparisons.
    """
    best = np.full(len(filters), -np.inf)
    read: list[tuple[date, str, str]] = [(days[0], "", "")] * len(filters)
    sums = filters.sum(axis=1, dtype=np.int64)
    for day in days:
        firsts, lasts = _masks(linkage, day, given, "given_name"), _masks(linkage, day, surnames, "surname")
        first = _covered(filters, firsts)
        last = _covered(filters, lasts)
        for index in range(len(filters)):
            if max(first[index].max(), 0.0) <= 0.0 or max(last[index].max(), 0.0) <= 0.0:
                continue
            one, other = int(first[index].argmax()), int(last[index].argmax())
            score = float((firsts[one] | lasts[other]).sum()) / sums[index]
            if score > best[index]:
                best[index], read[index] = score, (day, given[one], surnames[other])
    return read


def _covered(filters: Bits, masks: Bits) -> np.ndarray:
    """Number of a mask's bits where all of them are set in the filter, else 0."""
    sizes = masks.sum(axis=1, dtype=np.int64)
    both = filters.astype(np.float32) @ masks.astype(np.float32).T
    return np.where(both >= sizes[None, :] - 0.5, sizes[None, :], 0)


def _masks(linkage: SecretKey, day: date, names: Sequence[str], field: str) -> Bits:
    """Bits that a name sets under a date."""
    profile = get_profile()
    item = next(item for item in profile.passes if item.number == DOB)
    kept = tuple(part for part in item.filter if part.field == field)
    encoder = Encoder(replace(profile, passes=(replace(item, filter=kept, needs=()),)), linkage)
    people = [
        Subject("child", Identity("0", date_of_birth=day, **{field: name}), b"l" * 16, b"a" * 16, b"f" * 4)
        for name in names
    ]
    return filters_of(people, encoder, DOB)


def days_between(first: date, last: date) -> list[date]:
    """Every day of a range."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def permuted(filters: Bits, blocks: Sequence[bytes], linker_key: bytes) -> Bits:
    """An experiment: the linker moves the bits of a filter about, in an order that its own key and the block token choose.

    What two filters of a block have in common stays as it is, so that comparing works as before.
    """
    made = np.empty_like(filters)
    for row, block in enumerate(blocks):
        seed = int.from_bytes(hashlib.blake2b(block, key=linker_key, digest_size=16).digest(), "big")
        made[row] = filters[row][np.random.default_rng(seed).permutation(filters.shape[1])]
    return made
