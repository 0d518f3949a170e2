"""Person and family identifiers: random, printable, and with a check character.

Form: a letter for the kind (C child, A adult, F family), 12 random characters of Crockford's base
32 (60 bits), and one check character (ISO 7064 pure system, modulus 37, radix 2). Identifiers whose
check value has no character in the alphabet are not issued. The check character detects one wrong
character, or a swap of two neighbours.

>>> is_valid("C" + "0" * 12 + "0")
False
>>> is_valid(new_id("C"))
True
"""

import secrets
from typing import Final, Literal

Kind = Literal["C", "A", "F"]
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_CHARACTERS: Final = 12
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}


def new_id(kind: Kind) -> str:
    """A new random identifier."""
    while True:
        body = "".join(
            [ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(_RANDOM_CHARACTERS)]
        )
        check = _check_value(kind, body)
        if check < len(ALPHABET):
            return kind + body + ALPHABET[check]


def is_valid(identifier: str) -> bool:
    """Whether an identifier has the right form and check character."""
    kind, body, check = identifier[:1], identifier[1:-1], identifier[-1:]
    return (
        kind in ("C", "A", "F")
        and len(body) == _RANDOM_CHARACTERS
        and all(character in ALPHABET for character in identifier[1:])
        and _check_value(kind, body) == ALPHABET.index(check)
    )


def _check_value(kind: str, body: str) -> int:
    # ISO 7064 pure system with modulus 37, radix 2. Since 37 is prime, it detects every
    # substitution and every swap of neighbours.
    value = {"C": 1, "A": 2, "F": 3}[kind]
    for character in body:
        value = (value + _VALUES[character]) * 2 % 37
    return (38 - value) % 37
