"""Joint tokens: who shares tokens with whom is a graph, and a record's place in it can be its own.

Colour refinement (Weisfeiler and Leman 1968): nodes get a new colour by the colours around them until nothing changes. An attacker
who holds everybody's plain text builds the same graph; every colour that one record alone has is a record that he recognises
without a look at a filter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.attacks.store import Held

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Recognised:
    """What the graph tells."""

    records: int
    unique: float
    """Share of records whose colour no other record has."""
    expected: float
    """Share of records that are found by guessing within the colour."""


def recognise(held: Sequence[Held], view: str = "tokens", unseen: Sequence[str] = ()) -> Recognised:
    """Colour the graph. `view` says what the attacker sees beside it:

    * "tokens": who shares a token with whom, nothing else;
    * "kinds": also of which pass a token is;
    * "store": everything in the linker's store but the filters: partner, dataset, role, order of birth, which fields were
      present, which records are of one subject, declared carers.

    `unseen` are kinds of tokens left out.
    """
    graph = _Graph(view == "store")
    for index, item in enumerate(held):
        graph.node(("record", index), _looks(item) if view == "store" else "record")
        for kind, token in item.tokens():
            if kind not in unseen:
                graph.edge(("record", index), (kind, token), kind if view != "tokens" else "token")
        if view == "store":
            subject = ("subject", item.partner, item.record.link_reference)
            graph.edge(("record", index), subject, "of")
            for carer in item.record.carers:
                graph.edge(subject, ("subject", item.partner, carer.link_reference), f"carer {carer.relation}")
    colours = graph.refine()[[graph.nodes["record", index] for index in range(len(held))]]
    _, sizes = np.unique(colours, return_counts=True)
    return Recognised(len(held), float((sizes == 1).sum() / len(held)), len(sizes) / len(held))


def _looks(item: Held) -> str:
    present = [(made.pass_number, made.present) for made in item.record.passes]
    record = item.record
    order = record.birth_order if record.HasField("birth_order") else None
    return repr((item.partner, record.facet, record.role, order, present, record.HasField("nhs_token")))


class _Graph:
    def __init__(self, directed: bool) -> None:
        self.nodes: dict[tuple[object, ...], int] = {}
        self._looks: list[str] = []
        self._edges: list[tuple[int, int, str]] = []
        self._directed = directed

    def node(self, name: tuple[object, ...], looks: str) -> int:
        if name not in self.nodes:
            self.nodes[name] = len(self.nodes)
            self._looks.append(looks)
        return self.nodes[name]

    def edge(self, one: tuple[object, ...], other: tuple[object, ...], label: str) -> None:
        ends = self.node(one, "token"), self.node(other, label if self._directed else "token")
        self._edges.append((*ends, label))

    def refine(self) -> Ints:
        """Colours that refine no further. Sums of random numbers stand for multisets (a collision is improbable)."""
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
            finer = np.unique(np.column_stack([colours, around]), axis=0, return_inverse=True)[1].astype(np.int64)
            if finer.max() == colours.max():
                return finer
            colours = finer.ravel()
