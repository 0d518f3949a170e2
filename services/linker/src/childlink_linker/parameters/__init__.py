"""Match parameters: the weights of agreement and disagreement, and the two thresholds. Versioned files, never constants."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from childlink_core.errors import UserError

DEFAULT_PARAMETERS: Final = "prior-2026a"


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
class Parameters:
    """Everything that decides whether a pair is one person."""

    version: str
    prior: float
    link: float
    review: float
    same_source: float
    nhs_agree: float
    nhs_disagree: float
    passes: Mapping[int, PassWeights]


@cache
def load_parameters(name_or_path: str = DEFAULT_PARAMETERS) -> Parameters:
    """Parameters that come with this version, by name, or from a file that `estimate` wrote, by path."""
    bundled = files(__name__) / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if bundled.is_file():
        return parse_parameters(bundled.read_text(encoding="utf-8"))
    if path.is_file():
        return parse_parameters(path.read_text(encoding="utf-8"))
    raise UserError(f"There are no match parameters {name_or_path!r}.", f"Use {DEFAULT_PARAMETERS!r} or the path of a file.")


def parse_parameters(text: str) -> Parameters:
    """Parse a parameter file, or raise UserError."""
    try:
        content = tomllib.loads(text)
        passes = {
            item["number"]: PassWeights(
                item["agree"], item["disagree"], tuple(item["edges"]), tuple(item["full"]), tuple(item["partial"])
            )
            for item in content["pass"]
        }
        parameters = Parameters(
            content["version"], content["prior"], content["link"], content["review"], content["same_source"],
            content["nhs"]["agree"], content["nhs"]["disagree"], passes,
        )  # fmt: skip
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UserError(f"The match parameters are not complete ({error}).", "Start from the bundled file.") from None
    for number, weights in passes.items():
        if not len(weights.edges) + 1 == len(weights.full) == len(weights.partial):
            raise UserError(f"Pass {number} needs one weight more than edges.", "Correct the parameter file.")
    if parameters.review >= parameters.link:
        raise UserError("The review threshold must be below the link threshold.", "Correct the parameter file.")
    return parameters
