"""Joint tokens: the tokens that records share form a graph, and a record's place in the graph can
be unique.

Colour refinement (Weisfeiler and Leman 1968): each node gets a new colour from the colours around
it until nothing changes. An attacker who holds everybody's plain text builds the same graph. The
attacker recognises every record with a unique colour, without looking at a filter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.attacks.store import WithheldRow

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Recognised:
    """What the graph reveals."""

    records: int
    unique: float
    """Share of records with a unique colour."""
    expected: float
    """Share of records found by guessing within the colour."""


# What the attacker sees apart from the shared tokens. All of it is in the linker's store.
VIEWS: Final[Mapping[str, frozenset[str]]] = {
    "tokens": frozenset(),
    "tokens and passes": frozenset({"kinds"}),
    "and subjects": frozenset({"kinds", "subjects"}),
    "and carers": frozenset({"kinds", "subjects", "carers"}),
    "and datasets": frozenset({"kinds", "datasets"}),
    "everything but filters": frozenset({"kinds", "subjects", "carers", "datasets", "fields"}),
}


def recognise(
    held: Sequence[WithheldRow], view: str = "tokens", unseen: Sequence[str] = ()
) -> Recognised:
    """Colour the graph. `view` says what the attacker sees; `unseen` are kinds of tokens to leave
    out.
    """
    seen = VIEWS[view]
    graph = _Graph()
    for index, item in enumerate(held):
        graph.node(("record", index), _looks(item, seen))
        for kind, token in item.tokens():
            if kind not in unseen:
                label = kind if "kinds" in seen else "token"
                graph.edge(("record", index), (kind, token), label)
        if "subjects" in seen:
            subject = ("subject", item.partner, item.record.link_reference)
            graph.edge(("record", index), subject, "subject")
            if "carers" in seen:
                for carer in item.record.carers:
                    graph.edge(
                        ("record", index),
                        ("subject", item.partner, carer.link_reference),
                        f"carer {carer.relation}",
                    )
    colours = graph.refine()[[graph.nodes["record", index] for index in range(len(held))]]
    _, sizes = np.unique(colours, return_counts=True)
    return Recognised(len(held), float((sizes == 1).sum() / len(held)), len(sizes) / len(held))


def _looks(item: WithheldRow, seen: Collection[str]) -> str:
    record, looks = item.record, []
    if "datasets" in seen:
        looks += [item.partner, record.facet]
    if "fields" in seen:
        looks += [record.role, record.birth_order if record.HasField("birth_order") else None]
        looks += [(made.pass_number, made.present) for made in record.passes]
    return f"record {looks}"


class _Graph:
    def __init__(self) -> None:
        self.nodes: dict[tuple[object, ...], int] = {}
        self._looks: list[str] = []
        self._edges: list[tuple[int, int, str]] = []

    def node(self, name: tuple[object, ...], looks: str) -> int:
        if name not in self.nodes:
            self.nodes[name] = len(self.nodes)
            self._looks.append(looks)
        return self.nodes[name]

    def edge(self, one: tuple[object, ...], other: tuple[object, ...], label: str) -> None:
        self._edges.append((self.node(one, "?"), self.node(other, "other"), label))

    def refine(self) -> Ints:
        """Colours that cannot be refined further. Sums of random numbers stand for multisets (a
        collision is improbable).
        """
        rng = np.random.default_rng(0)
        colours = np.unique(np.array(self._looks), return_inverse=True)[1].astype(np.int64)
        one, other = (np.array([edge[end] for edge in self._edges]) for end in (0, 1))
        labels = np.unique(np.array([edge[2] for edge in self._edges]), return_inverse=True)[1]
        kinds = int(labels.max()) + 1
        while True:
            chance = rng.integers(-(2**62), 2**62, (2 * kinds, int(colours.max()) + 1))
            around = np.zeros(len(colours), dtype=np.int64)
            np.add.at(around, one, chance[labels, colours[other]])
            np.add.at(around, other, chance[labels + kinds, colours[one]])
            finer = np.unique(np.column_stack([colours, around]), axis=0, return_inverse=True)[
                1
            ].astype(np.int64)
            if finer.max() == colours.max():
                return finer
            colours = finer.ravel()
