"""Match parameters: the weights of agreement and disagreement, and the two thresholds. Versioned files, never constants."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.errors import UserError

DEFAULT_PARAMETERS: Final = "prior-2026a"
ROLE_NAMES: Final[dict[int, str]] = {wire.ROLE_CHILD: "child", wire.ROLE_ADULT: "adult"}


@dataclass(frozen=True)
class PassWeights:
    """Weights of one pass, in bits."""

    agree: float
    """Same block token."""
    disagree: float
    """Both have the pass, with different block tokens."""
    edges: tuple[float, ...]
    full: tuple[float, ...]
    partial: tuple[float, ...]


@dataclass(frozen=True)
class RoleWeights:
    """Weights for children, or for adults."""

    prior: float
    same_source: float
    nhs_agree: float
    nhs_disagree: float
    passes: Mapping[int, PassWeights]
    twins_below: float = 0.0
    """Two subjects of one source with one date of birth whose full names are less alike than this are two people, whatever
    their NHS numbers: a source that keeps them apart under different names means twins (one may carry the other's number)."""


@dataclass(frozen=True)
class Parameters:
    """Everything that decides whether a pair is one person."""

    version: str
    link: float
    review: float
    roles: Mapping[int, RoleWeights]


@cache
def load_parameters(name_or_path: str = DEFAULT_PARAMETERS) -> Parameters:
    """Parameters that come with this version, by name, or from a file that `estimate` wrote, by path."""
    bundled = files(__name__) / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if bundled.is_file():
        return parse_parameters(bundled.read_text(encoding="utf-8"))
    if path.is_file():
        return parse_parameters(path.read_text(encoding="utf-8"))
    raise UserError(
        f"There are no match parameters {name_or_path!r}.", f"Use {DEFAULT_PARAMETERS!r} or the path of a file."
    )


def parse_parameters(text: str) -> Parameters:
    """Parse a parameter file, or raise UserError."""
    try:
        content = tomllib.loads(text)
        roles = {role: _parse_role(content[name]) for role, name in ROLE_NAMES.items()}
        parameters = Parameters(content["version"], content["link"], content["review"], roles)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UserError(f"The match parameters are not complete ({error}).", "Start from the bundled file.") from None
    for weights in roles.values():
        for number, item in weights.passes.items():
            if not len(item.edges) + 1 == len(item.full) == len(item.partial):
                raise UserError(f"Pass {number} needs one weight more than edges.", "Correct the parameter file.")
    if parameters.review >= parameters.link:
        raise UserError("The review threshold must be below the link threshold.", "Correct the parameter file.")
    return parameters


def render_parameters(parameters: Parameters, comment: str) -> str:
    """The text of a parameter file."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f'version = "{parameters.version}"', f"link = {parameters.link}", f"review = {parameters.review}"]
    for role, name in ROLE_NAMES.items():
        weights = parameters.roles[role]
        lines += ["", f"[{name}]", f"prior = {weights.prior:.2f}", f"same_source = {weights.same_source:.2f}"]
        lines.append(f"twins_below = {weights.twins_below:.2f}")
        lines.append(f"nhs = {{ agree = {weights.nhs_agree:.2f}, disagree = {weights.nhs_disagree:.2f} }}")
        for number, item in weights.passes.items():
            lines += [
                "",
                f"[[{name}.pass]]",
                f"number = {number}",
                f"agree = {item.agree:.2f}",
                f"disagree = {item.disagree:.2f}",
            ]
            for key in ("edges", "full", "partial"):
                lines.append(f"{key} = [{', '.join(f'{value:.2f}' for value in getattr(item, key))}]")
    return "\n".join(lines) + "\n"


def _parse_role(table: Mapping[str, Any]) -> RoleWeights:
    passes = {
        item["number"]: PassWeights(
            item["agree"], item["disagree"], tuple(item["edges"]), tuple(item["full"]), tuple(item["partial"])
        )
        for item in table["pass"]
    }
    nhs = table["nhs"]
    return RoleWeights(
        table["prior"], table["same_source"], nhs["agree"], nhs["disagree"], passes, table.get("twins_below", 0.0)
    )
