"""The life cycle of a release: cut as a draft, checked, published by a second person, and retracted
by two people if necessary. Use case.

The command line, the schedule and the gRPC service all use this workflow. Every action is recorded
in the audit trail.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from childlink_bus.audit import Audited
from childlink_catalogue.catalogue import Catalogue, current
from childlink_catalogue.proposing import Proposal, proposed
from childlink_core import telemetry

from childlink_analytics.errors import ApprovalError, ReleaseError
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.counting.denominators import Denominators
from childlink_analytics.releasing.counting.public_tables import Tables
from childlink_analytics.releasing.protection.attack import AttackReport
from childlink_analytics.releasing.release import ledger
from childlink_analytics.releasing.release.check import check_together
from childlink_analytics.releasing.release.cut import Cut, CutPlan, cut_release
from childlink_analytics.releasing.release.doubts import check_catalogue, datasets_of, doubts
from childlink_analytics.releasing.release.ledger import ReleaseRecord
from childlink_analytics.releasing.release.planning import Plan, plan_proposals
from childlink_analytics.releasing.release.schedule import last_period
from childlink_analytics.releasing.store import tables as t
from childlink_analytics.releasing.store.store import Store
from childlink_analytics.settings import StoreSettings
from childlink_analytics.shared.proposals import Proposals, Stored
from childlink_analytics.shared.purposes import Register
from childlink_analytics.shared.release_files import (
    Release,
    check_release_name,
    publish_release,
    read_manifest,
    read_release,
    retract_release,
)

SCHEDULE: Final = "the schedule"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class ReleaseWorkflow(Audited):
    """The actions of release managers and auditors, each recorded under a name."""

    audit: ClassVar = t.audit

    engine: sa.Engine
    settings: StoreSettings
    secret: bytes
    """Key of the secret random numbers for rounding."""
    audit_key: bytes
    denominators: Denominators
    register: Register
    declared: Catalogue = field(default_factory=current)
    tables: Callable[[date], Tables] = lambda _until: {}
    """The tables that stand beside the linked figures, with periods up to a day."""

    def cut(
        self,
        who: str,
        release_id: str,
        data_until: str,
        progress: Progress = lambda _what: None,
        *,
        anyway: bool = False,
    ) -> Cut:
        """Cut a draft from one consistent view of the store. Raises ReleaseError if something is
        doubtful about it, unless `anyway` is set.
        """
        until = _day(data_until)
        check_release_name(release_id)
        with (
            self._audited(who, "release cut", release=release_id),
            telemetry.span("cut", *self._open_traces(), release=release_id),
        ):
            self._check_interrupted(
                *(item.release_id for item in self.releases() if item.state == "draft")
            )
            self._make_way(release_id)
            self.expire(SCHEDULE, date.today())
            with self._reading() as tx:
                store = Store(tx)
                behind = store.behind()
                declared = self.declared
                manifests = self._manifests()
                check_catalogue(declared, manifests)
                present = store.with_rows(datasets_of(manifests), until)
                against = doubts(until, date.today(), present, behind, manifests)
                if against and not anyway:
                    raise ReleaseError(
                        " ".join(against),
                        "Mend that, or wait (see `status`). If it is meant, cut with --anyway; the"
                        " release says so.",
                    )
                plan = CutPlan(
                    release_id,
                    ledger.next_number(tx),
                    data_until,
                    declared.measures(until),
                    self.denominators,
                    ledger.earlier(tx),
                    {
                        "parameter_version": ", ".join(store.parameter_versions()),
                        "behind": behind,
                        "doubts": against,
                        "editions": self.settings.editions,
                        "catalogue": {
                            "id": declared.about.id,
                            "version": declared.about.version,
                            "sha256": declared.digest,
                        },
                    },
                    policy=self.settings.disclosure,
                    tables=self.tables(until),
                    before=self._last_seen(tx),
                )
                with open_counter(
                    store.observations(), store.links(), until, self.settings.cut_memory, declared
                ) as counter:
                    done = cut_release(plan, counter, self.secret, self.settings.drafts, progress)
            try:
                with self.engine.begin() as tx:
                    ledger.remember(tx, who, plan, done)
            except sa.exc.IntegrityError:
                raise ReleaseError(
                    f"Another release was cut at the same time as {release_id}.",
                    f"Cut {release_id} again.",
                ) from None
        return done

    def plan(
        self,
        who: str,
        proposals: Sequence[Proposal],
        data_until: str,
        progress: Progress = lambda _what: None,
    ) -> Plan:
        """Count and protect what proposals need, without a release. Raises CatalogueError if one of
        them does not fit the catalogue.
        """
        until = _day(data_until)
        names = " ".join(item.id for item in proposals)
        with self._audited(who, "proposal plan", proposals=names), self._reading() as tx:
            declared, measures = proposed(proposals, self.declared, until)
            store = Store(tx)
            cut_plan = CutPlan(
                "plan",
                0,
                data_until,
                {},
                earlier=ledger.earlier(tx),
                policy=self.settings.disclosure,
            )
            with open_counter(
                store.observations(), store.links(), until, self.settings.cut_memory, declared
            ) as counter:
                return plan_proposals(
                    self.declared.measures(until),
                    measures,
                    cut_plan,
                    counter,
                    self.secret,
                    progress,
                )

    def decline(self, who: str, proposals: Proposals, proposal_id: str, why: str) -> Stored:
        """Decline a proposal, with a reason that analysts read."""
        with self._audited(who, "proposal decline", proposal=proposal_id):
            return proposals.decline(proposal_id, who, why)

    def check(self, who: str, release_id: str) -> tuple[Release, AttackReport]:
        """Read a draft completely, and attack it again together with all releases published so far.
        Raises ProtectionError if the attack succeeds.
        """
        with self._audited(who, "release check", release=release_id):
            return self._checked(release_id)

    def publish(self, who: str, release_id: str) -> ReleaseRecord:
        """Publish a draft. A person other than the one who cut it must do this. Raises
        ApprovalError.
        """
        with self._audited(who, "release publish", release=release_id):
            known = self._known(release_id, "draft")
            if known.cut_by == who and not self.settings.one_person:
                raise ApprovalError(
                    f"{who} cut {release_id}, so another person must publish it.",
                    "Have a second release manager `check` and `publish` it.",
                )
            with self.engine.connect() as tx:
                seen = ledger.seen(tx)
            self._checked(release_id)
            with self.engine.begin() as tx:
                ledger.change(
                    tx,
                    release_id,
                    "draft",
                    state="published",
                    published_by=who,
                    published_at_ms=ledger.now(),
                )
                if set(ledger.seen(tx)) != {*seen, release_id}:
                    raise ApprovalError(
                        f"Another release was published while {release_id} was attacked together"
                        " with the earlier ones.",
                        "Publish it again. It is then attacked together with that release as well.",
                    )
                approval = {"cut_by": known.cut_by, "published_by": who}
                publish_release(self.settings.drafts, self.settings.releases, release_id, approval)
                counted = Store(tx).close_traces(known.cut_at_ms)
            for trace in counted:
                telemetry.mark("published", trace, release=release_id)
            shutil.rmtree(self.settings.drafts / release_id, ignore_errors=True)
        return self._known(release_id, "published")

    def discard(self, who: str, release_id: str) -> None:
        """Discard a draft. Its name and number are not used again."""
        with self._audited(who, "release discard", release=release_id):
            self._known(release_id, "draft")
            self._check_interrupted(release_id)
            with self.engine.begin() as tx:
                ledger.change(tx, release_id, "draft", state="discarded")
                tx.execute(
                    t.release_cells.delete().where(t.release_cells.c.release_id == release_id)
                )
            shutil.rmtree(self.settings.drafts / release_id, ignore_errors=True)

    def retract(self, who: str, release_id: str, why: str = "") -> ReleaseRecord:
        """Retract a release: one person asks and gives the reason, and another person does it.
        Analysts have seen a retracted release, so later releases are still attacked together with
        it.
        """
        with self._audited(who, "release retract", release=release_id, why=why):
            known = self._known(release_id, "published", "recalling")
            if known.state == "published":
                if not why.strip():
                    raise ApprovalError(
                        "A retraction needs a reason: analysts will read it.", "Give --why."
                    )
                with self.engine.begin() as tx:
                    ledger.change(
                        tx,
                        release_id,
                        "published",
                        state="recalling",
                        recall_asked_by=who,
                        recall_why=why[:512],
                    )
            elif known.recall_asked_by == who and not self.settings.one_person:
                raise ApprovalError(
                    f"{who} asked for the retraction, so another person must do it.",
                    "Have a second release manager retract it.",
                )
            else:
                with self.engine.begin() as tx:
                    ledger.change(tx, release_id, "recalling", state="recalled", recalled_by=who)
                    said = {
                        "asked_by": known.recall_asked_by or "",
                        "recalled_by": who,
                        "why": known.recall_why or "",
                    }
                    retract_release(self.settings.releases, release_id, said)
        return self._known(release_id, "recalling", "recalled")

    def releases(self) -> list[ReleaseRecord]:
        """All releases, newest first."""
        with self.engine.connect() as tx:
            return ledger.all_releases(tx)

    def show(self, release_id: str) -> tuple[ReleaseRecord, dict[str, Any]]:
        """A release with its manifest. Raises ReleaseError."""
        known = self._known(release_id, "draft", "published", "recalling", "recalled", "discarded")
        if known.state in ("recalled", "discarded"):
            return known, {}
        return known, dict(read_release(self._folder(known), release_id).manifest)

    def verify(self, who: str) -> list[ReleaseRecord]:
        """Check that every draft and published release is unchanged since it was cut. Returns the
        checked releases. Raises ReleaseError.
        """
        with self._audited(who, "release verify"):
            checked = [
                known
                for known in self.releases()
                if known.state in ("draft", "published", "recalling")
            ]
            for known in checked:
                self._read(known)
        return checked

    def expire(self, who: str, today: date) -> dict[str, int]:
        """Delete rows whose retention period is over."""
        before = self.register.expired_before(today)
        if not before:
            return {}
        with self.engine.begin() as tx:
            gone = {dataset: rows for dataset, rows in Store(tx).expire(before).items() if rows}
            if gone:
                t.audit.append(tx, self.audit_key, who, "retention", **gone)
        return gone

    def due(self, today: date) -> tuple[str, str] | None:
        """Name and last day of the release that the schedule asks for, or None if it exists or no
        schedule is set.
        """
        if not self.settings.schedule:
            return None
        name, until = last_period(
            self.settings.schedule, today - timedelta(days=self.settings.schedule_after_days)
        )
        known = {item.release_id for item in self.releases()}
        return None if name in known else (name, until.isoformat())

    def _checked(self, release_id: str) -> tuple[Release, AttackReport]:
        known = self._known(release_id, "draft")
        release = self._read(known)
        with self.engine.connect() as tx:
            earlier, mine = ledger.earlier(tx), ledger.cells(tx, release_id)
        return release, check_together(release, mine, earlier)

    def _read(self, known: ReleaseRecord) -> Release:
        release = read_release(self._folder(known), known.release_id)
        if release.manifest["content_sha256"] != known.content_sha256:
            raise ReleaseError(
                f"Release {known.release_id} has changed since it was cut.",
                "Restore its folder from backup.",
            )
        return release

    def _known(self, release_id: str, *states: str) -> ReleaseRecord:
        with self.engine.connect() as tx:
            known = ledger.find(tx, release_id)
        if known is None:
            names = ", ".join(item.release_id for item in self.releases()[:5])
            raise ReleaseError(
                f"There is no release {release_id!r}.",
                f"There are: {names}." if names else "Cut one first.",
            )
        if known.state not in states:
            raise ApprovalError(
                f"Release {release_id} is {known.state}.",
                f"This needs a release that is {' or '.join(states)}.",
            )
        return known

    def _check_interrupted(self, *drafts: str) -> None:
        """Raise ReleaseError if a killed publication already put a draft into the served folder.
        Analysts may have seen it, so its publication must be completed.
        """
        for name in drafts:
            if (self.settings.releases / name).exists():
                raise ReleaseError(
                    f"{name} is already served: its publication was interrupted.",
                    f"Run release publish {name} again.",
                )

    def _manifests(self) -> list[dict[str, Any]]:
        """Manifests of the drafts and published releases. A damaged one stops no cut: `verify`
        reports it.
        """
        found = []
        for known in self.releases():
            if known.state in ("draft", "published", "recalling"):
                with suppress(ReleaseError):
                    found.append(read_manifest(self._folder(known), known.release_id))
        return found

    def _last_seen(self, tx: sa.Connection) -> dict[str, Any]:
        """The manifest of the newest release that analysts have seen. Empty if there is none."""
        names = ledger.seen(tx)
        with suppress(ReleaseError):
            return read_manifest(self.settings.releases, names[-1]) if names else {}
        return {}

    def _folder(self, known: ReleaseRecord) -> Path:
        return self.settings.drafts if known.state == "draft" else self.settings.releases

    def _make_way(self, release_id: str) -> None:
        """Remove the folder that a killed cut left. Raises ReleaseError if the name is already
        used.
        """
        with self.engine.connect() as tx:
            if ledger.find(tx, release_id):
                raise ReleaseError(
                    f"Release {release_id} exists already.",
                    "A release is never edited. Give the new one another name.",
                )
        shutil.rmtree(self.settings.drafts / release_id, ignore_errors=True)

    def _open_traces(self) -> list[str]:
        with self.engine.connect() as tx:
            return Store(tx).open_traces()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield tx

    @contextmanager
    def _audited(self, who: str, action: str, **detail: str | int) -> Iterator[None]:
        """Record the action in the audit trail, whether it succeeds or fails."""
        try:
            yield
        except Exception as error:
            with self.engine.begin() as tx:
                t.audit.append(
                    tx,
                    self.audit_key,
                    who,
                    f"{action}: failed",
                    why=type(error).__name__,
                    **{name: value for name, value in detail.items() if name != "why"},
                )
            raise
        with self.engine.begin() as tx:
            t.audit.append(tx, self.audit_key, who, action, **detail)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ReleaseError(
            f"{text!r} is not a date.", "Give the last day of data as YYYY-MM-DD."
        ) from None
