"""Compatibility mode: cryptographic long-term keys (CLKs), identical to those of clkhash (schema
version 3).

A CLK is one filter of all fields under one key for everyone, as used by anonlink and CODI. Public
attacks break it: a graph-matching attack re-identified 1,000 of 1,000 people. Use it only if you
must join such a project. Only the profiles of CLKs send it to the linker, and they are never the
default.

The construction is Schnell, Bachteler and Reiher 2009 (double hashing), or keyed BLAKE2b slices.
Under one key a value always sets the same bits. Therefore the mask of each value is cached, and a
record is the OR of its fields' masks. No I/O.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from operator import or_
from typing import Any, Final

from childlink_core.errors import UserError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES: Final = 64
_HASHES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "SHA256": hashes.SHA256,
    "SHA512": hashes.SHA512,
}
_REMEMBERED_VALUES: Final = 500_000
_CONFIG_KEYS: Final = {"l", "xor_folds", "kdf"}
# clkhash reads only the spellings on the right and ignores those on the left, although its
# documentation says otherwise. Schemas with the latter are refused.
_MISREAD: Final = {
    "xorFolds": "xor_folds",
    "preventSingularity": "prevent_singularity",
    "fractionalPrecision": "fractional_precision",
}


class SchemaError(UserError):
    """The linkage schema cannot be used."""


class EntryError(Exception):
    """A value does not fit its field. The message does not repeat the value."""


@dataclass(frozen=True)
class ClkField:
    """A hashed or ignored field.

    `prepare` checks and formats a value, `tokens` splits it, and `spread` gives the number of bits
    that each token sets.
    """

    name: str
    prepare: Callable[[str], str] | None = None
    tokens: Callable[[str], Sequence[str]] = lambda _value: ()
    spread: Callable[[int], Sequence[int]] = lambda _count: ()
    hash_type: str = "blakeHash"
    singular: bool = True
    encoding: str = "utf-8"


@dataclass(frozen=True)
class LinkageSchema:
    """A parsed linkage schema."""

    bits: int
    folds: int
    fields: tuple[ClkField, ...]
    kdf: Mapping[str, Any]


def parse_schema(content: Any) -> LinkageSchema:
    """Parse a version 3 linkage schema (parsed JSON).

    Raises SchemaError that names the feature and the key.
    """
    try:
        if content["version"] != 3:
            raise SchemaError(
                f"The schema has version {content['version']}.",
                "Convert it: clkhash convert-schema OLD NEW.",
            )
        _refuse_misread(content)
        config = content["clkConfig"]
        if stray := set(config) - _CONFIG_KEYS:
            raise SchemaError(
                f"clkConfig.{min(stray)} is unknown.", "clkConfig may have l, kdf and xor_folds."
            )
        bits, folds = int(config["l"]), int(config.get("xor_folds", 0))
        fields = tuple(_field(item) for item in content["features"])
        kdf = config["kdf"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SchemaError(
            f"The linkage schema is incomplete or wrong: {error}.",
            "See clkhash's schema version 3.",
        ) from None
    hashed = bits * 2**folds
    if bits % 8 or bits <= 0:
        raise SchemaError(
            f"l is {bits}.", "Use a multiple of 8 (of 64, if anonlink will compare the filters)."
        )
    if any(f.prepare and f.hash_type == "blakeHash" for f in fields) and hashed & (hashed - 1):
        raise SchemaError(
            f"blakeHash needs a power of two before folding, not {hashed}.",
            "Change l, or use doubleHash.",
        )
    if kdf.get("type", "HKDF") != "HKDF" or kdf.get("hash", "SHA256") not in _HASHES:
        raise SchemaError(
            "The key derivation is not HKDF with SHA256 or SHA512.", "Correct clkConfig.kdf."
        )
    return LinkageSchema(bits, folds, fields, kdf)


class ClkEncoder:
    """Makes CLKs with one schema and one secret."""

    def __init__(self, schema: LinkageSchema, secret: bytes) -> None:
        self._schema = schema
        self._hashed = schema.bits * 2**schema.folds
        self._bit = [1 << (self._hashed - 1 - position) for position in range(self._hashed)]
        keys = _derive(secret, len(schema.fields), schema.kdf)
        self._fields = [
            (index, field, keys[index])
            for index, field in enumerate(schema.fields)
            if field.prepare
        ]
        self._masks: list[dict[str, int]] = [{} for _ in self._fields]
        self._token_masks: list[dict[tuple[str, int], int]] = [{} for _ in self._fields]

    def encode(self, records: Iterable[Sequence[str]]) -> list[bytes]:
        """Encode records. Returns one filter of `l` bits per record, highest bit first as in
        clkhash's files.

        Raises EntryError.
        """
        sources = [
            (index, masks.get, number)
            for number, ((index, _, _), masks) in enumerate(
                zip(self._fields, self._masks, strict=True)
            )
        ]
        size, folds, hashed = self._schema.bits // 8, self._schema.folds, self._hashed
        clks = []
        for record in records:
            bits = 0
            for index, get, number in sources:
                value = record[index]
                mask = get(value)
                bits |= self._mask(number, value) if mask is None else mask
            if folds:
                width = hashed
                for _ in range(folds):
                    width //= 2
                    bits = (bits >> width) ^ (bits & ((1 << width) - 1))
            clks.append(bits.to_bytes(size, "big"))
        return clks

    def _mask(self, number: int, value: str) -> int:
        _, field, keys = self._fields[number]
        try:
            tokens = field.tokens(field.prepare(value)) if field.prepare else ()
        except EntryError as error:
            raise EntryError(f"{field.name} {error}") from None
        remembered = self._token_masks[number]
        mask = 0
        if tokens:
            for token, count in zip(tokens, field.spread(len(tokens)), strict=True):
                known = remembered.get((token, count))
                if known is None:
                    known = remembered[token, count] = self._bits_of(
                        field, keys, token.encode(field.encoding), count
                    )
                mask |= known
        masks = self._masks[number]
        if len(masks) >= _REMEMBERED_VALUES:
            masks.clear()
        masks[value] = mask
        return mask

    def _bits_of(self, field: ClkField, keys: tuple[bytes, bytes], token: bytes, count: int) -> int:
        length = self._hashed
        if field.hash_type == "blakeHash":
            blocks = [
                hashlib.blake2b(token, key=keys[0], salt=b"%d" % block).digest()
                for block in range((count + 31) // 32)
            ]
            positions = [short % length for short in memoryview(b"".join(blocks)).cast("H")[:count]]
        else:
            first = int.from_bytes(hmac.digest(keys[0], token, "sha1"), "big") % length
            step = int.from_bytes(hmac.digest(keys[1], token, "md5"), "big") % length
            attempt = 0
            while not field.singular and step == 0:
                step = (
                    int.from_bytes(
                        hmac.digest(keys[1], token + chr(attempt).encode(), "md5"), "big"
                    )
                    % length
                )
                attempt += 1
            positions = [(first + i * step) % length for i in range(count)]
        return reduce(or_, map(self._bit.__getitem__, positions), 0)


def to_text(clk: bytes) -> str:
    """A filter as base64, as in clkhash's JSON files."""
    return base64.b64encode(clk).decode()


def _derive(secret: bytes, fields: int, kdf: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    size = int(kdf.get("keySize", _KEY_BYTES))
    salt, info = (base64.b64decode(kdf[name]) if name in kdf else None for name in ("salt", "info"))
    algorithm = _HASHES[kdf.get("hash", "SHA256")]()
    stream = HKDF(algorithm=algorithm, length=2 * fields * size, salt=salt, info=info).derive(
        secret
    )
    keys = [stream[at : at + size] for at in range(0, len(stream), size)]
    return list(zip(keys[::2], keys[1::2], strict=True))


def _field(item: Mapping[str, Any]) -> ClkField:
    name = item["identifier"]
    if item.get("ignored"):
        return ClkField(name)
    try:
        hashing, form = item["hashing"], item["format"]
        how = hashing.get("hash", {"type": "blakeHash"})
        if how["type"] not in ("blakeHash", "doubleHash"):
            raise ValueError(f"hash type {how['type']!r}")
        encoding = form.get("encoding", "utf-8")
        missing = hashing.get("missingValue")
        return ClkField(
            name,
            partial(_prepare, _formatter(form), form["type"] == "string", encoding, missing),
            _tokenizer(hashing["comparison"]),
            _strategy(hashing["strategy"]),
            how["type"],
            not how.get("prevent_singularity"),
            encoding,
        )
    except KeyError as error:
        raise SchemaError(
            f"Feature {name!r} has no {error}.", "See clkhash's schema version 3."
        ) from None
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"Feature {name!r} cannot be used: {error}.", "See clkhash's schema version 3."
        ) from None


def _prepare(
    formatter: Callable[[str], str],
    is_text: bool,
    encoding: str,
    missing: Mapping[str, str] | None,
    value: str,
) -> str:
    if missing is not None and value == missing["sentinel"]:
        replacement = missing.get("replaceWith")
        return value if replacement is None else replacement
    if is_text:
        try:
            value.encode(encoding)
        except UnicodeEncodeError:
            raise EntryError(f"cannot be written in {encoding}") from None
    return formatter(value)


def _formatter(form: Mapping[str, Any]) -> Callable[[str], str]:
    match form["type"]:
        case "string":
            return partial(
                _string, re.compile(form["pattern"]) if "pattern" in form else None, form
            )
        case "integer":
            return partial(_integer, form.get("minimum"), form.get("maximum"))
        case "date":
            return partial(_date, form["format"])
        case "enum":
            return partial(_enum, frozenset(form["values"]))
        case other:
            raise ValueError(f"format type {other!r}")


def _string(pattern: re.Pattern[str] | None, form: Mapping[str, Any], value: str) -> str:
    if pattern is not None:
        if not pattern.fullmatch(value):
            raise EntryError("does not match its pattern")
        return value
    if len(value) < (form.get("minLength") or 0):
        raise EntryError("is too short")
    if form.get("maxLength") is not None and len(value) > form["maxLength"]:
        raise EntryError("is too long")
    case = form.get("case", "mixed")
    if case != "mixed" and (value.upper() if case == "upper" else value.lower()) != value:
        raise EntryError(f"is not in {case} case")
    return value


def _integer(least: int | None, most: int | None, value: str) -> str:
    try:
        number = int(value, base=10)
    except ValueError:
        raise EntryError("is not a whole number") from None
    if (least is not None and number < least) or (most is not None and number > most):
        raise EntryError("is outside its range")
    return str(number)


def _date(form: str, value: str) -> str:
    try:
        return datetime.strptime(value, form).strftime("%Y%m%d")
    except ValueError:
        raise EntryError(f"is not a date in {form}") from None


def _enum(values: frozenset[str], value: str) -> str:
    if value not in values:
        raise EntryError("is not one of its values")
    return value


def _tokenizer(comparison: Mapping[str, Any]) -> Callable[[str], Sequence[str]]:
    match comparison["type"]:
        case "ngram":
            if comparison["n"] < 0:
                raise ValueError("n is negative")
            return partial(ngrams, comparison["n"], bool(comparison.get("positional")))
        case "exact":
            return lambda value: (value,) if value else ()
        case "numeric":
            precision = comparison.get("fractional_precision", 0)
            interval = round(comparison["thresholdDistance"] * 10**precision)
            if interval <= 0 or comparison["resolution"] < 1 or precision < 0:
                raise ValueError(
                    "thresholdDistance and resolution must be positive, at this precision"
                )
            return partial(numeric_neighbours, interval, comparison["resolution"], precision)
        case other:
            raise ValueError(f"comparison type {other!r}")


def ngrams(n: int, positional: bool, value: str) -> Sequence[str]:
    """All n-grams of the padded value.

    >>> ngrams(2, False, "amy"), ngrams(2, True, "am")
    ([' a', 'am', 'my', 'y '], ['1  a', '2 am', '3 m '])
    """
    if not value:
        return ()
    padding = " " * (n - 1)
    padded = f"{padding}{value}{padding}"
    pieces = [padded[i : i + n] for i in range(len(padded) - n + 1)]
    return [f"{i} {piece}" for i, piece in enumerate(pieces, start=1)] if positional else pieces


def numeric_neighbours(interval: int, resolution: int, precision: int, value: str) -> Sequence[str]:
    """Neighbours of a number on a grid. Near numbers share tokens (Vatsalan and Christen 2015).

    >>> numeric_neighbours(8, 2, 0, "25")
    ['88', '96', '104', '112', '120']
    """
    if not value:
        return ()
    try:
        number = int(value, base=10) * 10**precision
    except ValueError:
        try:
            scaled = float(value)
            number = round(scaled * 10**precision) if precision else int(scaled)
        except (ValueError, OverflowError):
            raise EntryError("is not a number") from None
    number *= 2 * resolution
    residue = number % interval
    if residue:
        number += -residue if residue < interval / 2 else interval - residue
    return [str(number + i * interval) for i in range(-resolution, resolution + 1)]


def _strategy(strategy: Mapping[str, Any]) -> Callable[[int], Sequence[int]]:
    if "bitsPerToken" in strategy:
        return partial(_per_token, int(strategy["bitsPerToken"]))
    return partial(_per_feature, int(strategy["bitsPerFeature"]))


def _per_token(bits: int, tokens: int) -> Sequence[int]:
    return [bits] * tokens


def _per_feature(bits: int, tokens: int) -> Sequence[int]:
    share, rest = divmod(bits, tokens)
    return [share + 1] * rest + [share] * (tokens - rest)


def _refuse_misread(content: Any) -> None:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in _MISREAD:
                raise SchemaError(
                    f"The schema says {key!r}, which clkhash silently ignores.",
                    f"Write {_MISREAD[key]!r} if you need it, or delete it. Filters must be the"
                    " same at every site.",
                )
            _refuse_misread(value)
    elif isinstance(content, Sequence) and not isinstance(content, str):
        for value in content:
            _refuse_misread(value)
