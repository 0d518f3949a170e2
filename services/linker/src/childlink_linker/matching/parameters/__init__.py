"""Match parameters: how often fields agree in each kind of pair, and the three thresholds. They are
read from versioned files.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.errors import UserError

from childlink_linker.matching.similarity import LEVELS

DEFAULT_PARAMETERS: Final = "prior-2026d"
ROLE_NAMES: Final[dict[int, str]] = {wire.ROLE_CHILD: "child", wire.ROLE_ADULT: "adult"}
KINDS: Final = ("match", "relative", "other")
FIELDS: Final = ("given", "surname", "postcode", "date")
Shares = tuple[float, float, float]
"""Shares of pairs whose field is the same, near (a typing error, a middle name) or different. They
add up to 1.
"""


@dataclass(frozen=True)
class KindShares:
    """How often fields agree in one kind of pair: records of one person, of brothers and sisters,
    or of unrelated people.
    """

    prior: float
    """log2 of the number of such pairs for each pair of the kind `other`, among all pairs of
    records.
    """
    nhs: float
    """Of pairs that both have an NHS number, the share with the same number."""
    mother: float
    """Children: the share of pairs with the same mother, where both mothers are known. Adults: with
    the same child in the same relation.
    """
    sex: float
    given: Shares
    surname: Shares
    surname_of_newborn: Shares
    """The surname, where one of the two records has no given name."""
    postcode: Shares
    date: Shares
    date_guessed: Shares
    """The date of birth, where one of the two is a guess or a default of its source. Never
    estimated.
    """
    similarity: tuple[float, ...] = ()
    """Under a profile of CLKs: the share of each band of similarities (see `similarity`), the
    greatest first. Empty: that of the bundled profiles.
    """


@dataclass(frozen=True)
class RoleWeights:
    """Parameters for children, or for adults."""

    same_source: float
    """Weight in bits for two subjects from one dataset of one partner, which rarely holds a person
    twice. Negative.
    """
    match: KindShares
    relative: KindShares
    other: KindShares

    @property
    def numbers_differ(self) -> float:
        """Weight of two different NHS numbers, in bits. Negative."""
        return math.log2((1.0 - self.match.nhs) / (1.0 - self.other.nhs))


@dataclass(frozen=True)
class Thresholds:
    """The weights, in bits, from which clusters are joined or reviewed."""

    link: float
    """From here on, two clusters are one person."""
    alone: float
    """From here on, they are one person if neither could be anybody else."""
    review: float
    """From here on, a data steward decides. Another cluster of this weight is a rival."""


@dataclass(frozen=True)
class Parameters:
    """All parameters that decide whether a pair is one person."""

    version: str
    thresholds: Thresholds
    roles: Mapping[int, RoleWeights]


@cache
def load_parameters(name_or_path: str = DEFAULT_PARAMETERS) -> Parameters:
    """Load bundled parameters by name, or a file that `estimate` wrote by path. Raises
    UserError.
    """
    return parse_parameters(read_parameters(name_or_path))


def read_parameters(name_or_path: str = DEFAULT_PARAMETERS) -> str:
    """The text of a parameter file. Raises UserError if there is none."""
    bundled = files(__name__) / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if bundled.is_file():
        return bundled.read_text(encoding="utf-8")
    if path.is_file():
        return path.read_text(encoding="utf-8")
    raise UserError(
        f"There are no match parameters {name_or_path!r}.",
        f"Use {DEFAULT_PARAMETERS!r} or the path of a file.",
    )


def parse_parameters(text: str) -> Parameters:
    """Parse the text of a parameter file. Raises UserError."""
    try:
        content = tomllib.loads(text)
        roles = {role: _parse_role(content[name]) for role, name in ROLE_NAMES.items()}
        thresholds = Thresholds(content["link"], content["alone"], content["review"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"The match parameters cannot be read: {error!r}.",
            "Start from the file that `childlink-linker estimate` writes.",
        ) from None
    if not thresholds.review < thresholds.alone <= thresholds.link:
        raise UserError(
            "The thresholds must rise from `review` through `alone` to `link`.",
            "Correct the parameter file.",
        )
    return Parameters(content["version"], thresholds, roles)


def render_parameters(parameters: Parameters, comment: str) -> str:
    """The text of a parameter file."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [
        f'version = "{parameters.version}"',
        f"link = {parameters.thresholds.link}",
        f"alone = {parameters.thresholds.alone}",
        f"review = {parameters.thresholds.review}",
    ]
    for role, name in ROLE_NAMES.items():
        weights = parameters.roles[role]
        lines += ["", f"[{name}]", f"same_source = {weights.same_source:.2f}"]
        for kind in KINDS:
            shares: KindShares = getattr(weights, kind)
            lines += ["", f"[{name}.{kind}]", f"prior = {shares.prior:.3f}"]
            lines += [f"{what} = {getattr(shares, what):.9g}" for what in ("nhs", "mother", "sex")]
            for what in (
                "given",
                "surname",
                "surname_of_newborn",
                "postcode",
                "date",
                "date_guessed",
            ):
                lines.append(
                    f"{what} = [{', '.join(f'{share:.9g}' for share in getattr(shares, what))}]"
                )
            if shares.similarity:
                lines.append(f"similarity = [{', '.join(f'{x:.6g}' for x in shares.similarity)}]")
    return "\n".join(lines) + "\n"


def _parse_role(table: Mapping[str, Any]) -> RoleWeights:
    return RoleWeights(table["same_source"], *(_parse_kind(table[kind]) for kind in KINDS))


def _parse_kind(table: Mapping[str, Any]) -> KindShares:
    def shares(name: str) -> Shares:
        same, near, different = table[name]
        if min(same, near, different) <= 0:
            raise TypeError(f"{name}: every share must be above 0")
        total = same + near + different
        return same / total, near / total, different / total

    return KindShares(
        table["prior"],
        table["nhs"],
        table["mother"],
        table["sex"],
        shares("given"),
        shares("surname"),
        shares("surname_of_newborn"),
        shares("postcode"),
        shares("date"),
        shares("date_guessed"),
        _parse_similarity(table.get("similarity", ())),
    )


def _parse_similarity(shares: Sequence[float]) -> tuple[float, ...]:
    if shares and (len(shares) != LEVELS - 1 or min(shares) <= 0):
        raise TypeError(f"similarity: give {LEVELS - 1} shares above 0")
    return tuple(shares)
