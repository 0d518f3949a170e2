"""The review workflow for administrators and stewards. Every read of the store and every decision
is written to the audit trail.

The command line, the review page and the gRPC services all use it, so that nothing bypasses the
trail.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final

import sqlalchemy as sa
from childlink.wire.v1 import envelope_pb2, receipt_pb2
from childlink_bus.audit import Audited
from childlink_bus.stream_processor import Outgoing
from childlink_core import topics
from childlink_core.profiles import Profile

from childlink_linker.clustering.verdicts import Proposal, Verdict
from childlink_linker.errors import ExportError, ReviewError, StoreError
from childlink_linker.linking import source_verification as own_checks
from childlink_linker.matching.parameters import Parameters
from childlink_linker.records import Outcome, StoredSubject
from childlink_linker.review import cases as review
from childlink_linker.review import explain as explaining
from childlink_linker.review import exports
from childlink_linker.review.cases import Case, Decision, Pair
from childlink_linker.review.patterns import EXAMPLES, Pattern
from childlink_linker.review.patterns import pattern as find_pattern
from childlink_linker.review.patterns import patterns as find_patterns
from childlink_linker.store import tables
from childlink_linker.store.store import Store
from childlink_linker.store.vault import Vault

_DAY_MS: Final = 24 * 60 * 60 * 1000
Links = Callable[[Store, Sequence[StoredSubject]], list[Outgoing]]
"""Makes the links of subjects."""
Post = Callable[[sa.Connection, Sequence[Outgoing]], None]
"""Puts messages into the outbox, within the transaction."""


@dataclass(frozen=True)
class ReviewWorkflow(Audited):
    """The actions of stewards and administrators, each recorded under a name."""

    audit: ClassVar = tables.audit

    engine: sa.Engine
    vault: Vault
    profile: Profile
    parameters: Parameters
    audit_key: bytes
    views_a_day: int
    """Number of pairs that one steward may view in 24 hours. It is limited because agreements
    between records are information about people.
    """
    links: Links
    post: Post
    flush: Callable[[], None] = lambda: None
    """Sends the messages in the outbox, unless a running linker sends them."""

    def cases(self, who: str) -> list[Case]:
        """The cases that wait for this steward."""
        with self._audited(who, "review list") as store:
            return review.cases(store, who)

    def case(self, who: str, number: int) -> tuple[Case, list[list[explaining.Comparison]]]:
        """A case, and what the records of each of its pairs agree on. Raises ReviewError."""
        with self._store() as store:
            found = review.case(store, number)
        return found, [self.show(who, doubt.pair) for doubt in found.doubts]

    def show(self, who: str, pair: Pair) -> list[explaining.Comparison]:
        """What the records of a waiting pair agree on. Raises ReviewError."""
        with self._audited(who, "review show", pair=_name(pair)) as store:
            self._check_views(store, who)
            return review.show(store, pair, self.profile, self.parameters)

    def decide(
        self,
        who: str,
        verdicts: Sequence[tuple[Pair, Verdict]],
        reason: str,
        *,
        asks_second: bool = False,
    ) -> Outcome:
        """Record a steward's verdicts on pairs, re-cluster the subjects concerned, and send the
        links that change. Raises ReviewError.
        """
        said = ", ".join(f"{_name(pair)} {verdict}" for pair, verdict in verdicts)
        with self._audited(who, "review decide", said=said, second=int(asks_second)) as store:
            outcome = review.decide(
                store, verdicts, who, reason, self.profile, self.parameters, asks_second=asks_second
            )
            self.post(store.tx, self.links(store, outcome.linked))
        self.flush()
        return outcome

    def patterns(self, who: str) -> list[Pattern]:
        """The patterns that wait for this steward."""
        with self._audited(who, "review patterns") as store:
            return find_patterns(store, self.profile, self.parameters, who)

    def pattern(self, who: str, name: str) -> Pattern:
        """One of them, with what its pairs agree on. Counts as a view of each pair that it names.
        Raises ReviewError.
        """
        with self._audited(who, "review pattern", pattern=name) as store:
            self._check_views(store, who)
            return find_pattern(store, self.profile, self.parameters, who, name)

    def propose(self, who: str, name: str, verdict: Proposal, reason: str) -> tuple[int, Outcome]:
        """Propose a verdict on all pairs of a pattern. It counts for those for which another
        steward has proposed the same. Returns the number of pairs, and what changed. Raises
        ReviewError.
        """
        with self._audited(who, "review propose", pattern=name, said=verdict) as store:
            pairs = find_pattern(store, self.profile, self.parameters, who, name).pairs
            said = [(pair, verdict) for pair in pairs]
            outcome = review.decide(
                store, said, who, reason, self.profile, self.parameters, asks_second=True
            )
            self.post(store.tx, self.links(store, outcome.linked))
        self.flush()
        return len(pairs), outcome

    def ask_partner(self, who: str, pair: Pair, *, larger: bool) -> None:
        """Ask the partner that recorded one of the two people to check its own row. Raises
        ReviewError.
        """
        with self._audited(who, "review ask", pair=_name(pair), subject=pair[larger]) as store:
            review.check_wait(store, [pair])
            partner, request = own_checks.ask(store, pair[larger], who)
            payload = receipt_pb2.ReceiptBatch(checks=[request]).SerializeToString()
            self.post(
                store.tx,
                [
                    Outgoing(
                        topics.receipts(partner),
                        partner,
                        envelope_pb2.PAYLOAD_KIND_RECEIPT,
                        payload,
                    )
                ],
            )
        self.flush()

    def undo(self, who: str, decision_id: int, *, whole: bool = False) -> Outcome:
        """Undo a decision. `whole`: and all that the same steward decided in the same step, such as
        a pattern. Raises ReviewError.
        """
        with self._audited(who, "review undo", decision=decision_id, whole=int(whole)) as store:
            outcome = review.undo(
                store, decision_id, who, self.profile, self.parameters, whole=whole
            )
            self.post(store.tx, self.links(store, outcome.linked))
        self.flush()
        return outcome

    def decisions(self, who: str) -> list[Decision]:
        """All decisions of stewards."""
        with self._audited(who, "review decisions") as store:
            return review.decisions(store)

    def explain(self, who: str, person_id: str) -> explaining.Explanation:
        """Explain why the records of a person are one. Raises UnknownIdentifierError."""
        with self._audited(who, "explain", identifier=person_id) as store:
            return explaining.explain(store, person_id, self.profile, self.parameters)

    def history(self, who: str, identifier: str) -> list[explaining.Change]:
        """All changes of an identifier. Raises UnknownIdentifierError."""
        with self._audited(who, "history", identifier=identifier) as store:
            return explaining.history(store.tx, identifier)

    def quality(self, who: str) -> explaining.QualityReport:
        """Linkage quality, without known truth."""
        with self._audited(who, "quality") as store:
            return explaining.quality(store, self.profile)

    def check_store(self, who: str) -> tuple[int, int]:
        """Check that the event log gives the same identifiers as the tables. Returns the numbers of
        subjects and families. Raises StoreError.
        """
        with self._audited(who, "check store") as store:
            tables_say, log_says = store.identifiers()
        for what in ("persons", "families", "anchors"):
            one, other = getattr(tables_say, what), getattr(log_says, what)
            wrong = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
            if wrong:
                raise StoreError(
                    f"The event log and the tables differ in {len(wrong):,} {what}, of"
                    f" {len(one):,}.",
                    "Something other than childlink changed the database, or only parts of it were"
                    " restored. Restore all of it.",
                )
        return len(tables_say.persons), len(tables_say.anchors)

    def note(self, who: str, action: str, **detail: str | int) -> None:
        """Write an action that was done elsewhere to the audit trail."""
        with self._audited(who, action, **detail):
            pass

    def ask_export(self, who: str, why: str) -> None:
        """Request that another person makes an export. Raises ExportError."""
        if not why.strip():
            raise ExportError("An export needs a reason.", "Give --why.")
        self.note(who, exports.ASKED, why=why)

    def begin_export(self, who: str, what: str, *, one_person: bool = False) -> None:
        """Record that an export is made now. Raises ExportError unless another person requested it
        (see `exports`). `one_person`: no request is needed, for made-up data.
        """
        with self._audited(who, exports.MADE, what=what) as store:
            if not one_person:
                # All entries except the one just written.
                exports.check_asked(
                    list(tables.audit.read(store.tx))[:-1], who, time.time_ns() // 1_000_000
                )

    def _check_views(self, store: Store, who: str) -> None:
        since = int(time.time() * 1000) - _DAY_MS
        pairs = tables.audit.count(store.tx, who, "review show", since)
        pairs += tables.audit.count(store.tx, who, "review pattern", since) * EXAMPLES
        if pairs > self.views_a_day:
            raise ReviewError(
                f"You have viewed {self.views_a_day:,} pairs in 24 hours, which is the limit.",
                "Continue tomorrow, or ask another steward. The limit exists because agreements"
                " between records are information about people.",
            )

    @contextmanager
    def _store(self) -> Iterator[Store]:
        with self.engine.begin() as tx:
            yield Store(tx, self.vault)

    @contextmanager
    def _audited(self, who: str, action: str, **detail: str | int) -> Iterator[Store]:
        """The store, in a transaction that includes the audit entry. A failure is recorded as well,
        in a transaction of its own.
        """
        if not who.strip():
            raise ReviewError("This needs the name of the person who does it.", "Give --by.")
        with self.audited(who, action, **detail) as tx:
            yield Store(tx, self.vault)


def _name(pair: Pair) -> str:
    return f"{pair[0]}-{pair[1]}"
