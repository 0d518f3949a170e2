"""Applies the rules in `access.py` to a broker's topics and access rights.

All other rights are removed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from childlink_bus.kafka import connect
from childlink_bus.ports import BusError
from childlink_core.envelope import LARGEST_BATCH_BYTES
from childlink_core.settings import ServiceSettings
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import KafkaError

from childlink_ops.access import Grant, all_topics, grants, principal
from childlink_ops.authority import Issued

_OPERATIONS: Final = {"read": ACLOperation.READ, "write": ACLOperation.WRITE}
_EVERYTHING: Final = ACLFilter(
    principal=None,
    host=None,
    operation=ACLOperation.ANY,
    permission_type=ACLPermissionType.ANY,
    resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)
# Kafka's name for "the message with the latest timestamp".
_NEWEST: Final = OffsetSpec.MAX_TIMESTAMP
Right = tuple[str, Grant]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Changes:
    """The changes made, or to be made."""

    topics: list[str]
    given: list[Right]
    taken: list[str]

    def __bool__(self) -> bool:
        return bool(self.topics or self.given or self.taken)

    def lines(self) -> list[str]:
        """The changes as text, one per line."""
        return [
            *(f"topic  {name}" for name in self.topics),
            *(f"allow  {who} {grant}" for who, grant in self.given),
            *(f"remove {what}" for what in self.taken),
        ]


def wanted(partners: Sequence[str], certificates: Iterable[Issued]) -> set[Right]:
    """Every right that should exist: those of the holders of valid certificates."""
    return {
        (principal(issued.kind, issued.name, issued.serial), grant)
        for issued in certificates
        if issued.valid
        for grant in grants(issued.kind, issued.name, partners)
    }


class Broker:
    """An operator's view of a Kafka cluster."""

    def __init__(self, admin: Any, replication: int, retention_days: int) -> None:
        self._admin, self._replication = admin, replication
        self._topic_config = {
            "retention.ms": str(retention_days * 86_400_000),
            "max.message.bytes": str(LARGEST_BATCH_BYTES + 10_000),
            "min.insync.replicas": str(max(1, replication - 1)),
        }

    def align(
        self, partners: Sequence[str], certificates: Iterable[Issued], *, dry_run: bool = False
    ) -> Changes:
        """Create missing topics, grant missing rights, and remove all other rights. Raises
        BusError.
        """
        return _asking(lambda: self._align(partners, certificates, dry_run))

    def depth(self, partners: Sequence[str]) -> dict[str, int]:
        """The number of messages in each topic. Raises BusError."""
        return _asking(lambda: self._depth(partners))

    def newest(self, partners: Sequence[str]) -> dict[str, int]:
        """When the newest message of each non-empty topic was written, in Unix ms by the writer's
        clock.

        Raises BusError.
        """
        return _asking(lambda: self._newest(partners))

    def free_bytes(self) -> dict[str, int]:
        """Free bytes on each disk of the brokers that report it (Kafka 3.3 and later). Raises
        BusError.
        """
        return _asking(self._free_bytes)

    def _align(
        self, partners: Sequence[str], certificates: Iterable[Issued], dry_run: bool
    ) -> Changes:
        existing = set(self._admin.list_topics())
        missing = [name for name in all_topics(partners) if name not in existing]
        found: dict[Right, ACL] = {}
        strange: list[ACL] = []
        for acl in self._admin.describe_acls(_EVERYTHING)[0]:
            right = _right_of(acl)
            if right is None:
                strange.append(acl)
            else:
                found[right] = acl
        should = wanted(partners, certificates)
        give = sorted(should - found.keys())
        take = [*strange, *(acl for right, acl in found.items() if right not in should)]
        if not dry_run:
            # Remove rights first: if a later step fails, there are no excess rights.
            self._remove(take)
            self._make_topics(missing)
            self._allow(give)
        return Changes(missing, give, sorted(map(_describe, take)))

    def _remove(self, acls: Sequence[ACL]) -> None:
        if acls:
            for _filter, _matching, error in self._admin.delete_acls(
                [_exactly(acl) for acl in acls]
            ):
                if error.errno:
                    raise error()

    def _make_topics(self, names: Sequence[str]) -> None:
        if names:
            options = {
                "num_partitions": 1,
                "replication_factor": self._replication,
                "configs": self._topic_config,
            }
            self._admin.create_topics(dict.fromkeys(names, options), wait_for_metadata=True)

    def _allow(self, rights: Sequence[Right]) -> None:
        if rights:
            failed = self._admin.create_acls([_acl(*right) for right in rights])["failed"]
            if failed:
                raise failed[0]()

    def _depth(self, partners: Sequence[str]) -> dict[str, int]:
        names = all_topics(partners)
        ends, starts = (
            self._admin.list_partition_offsets({TopicPartition(name, 0): at for name in names})
            for at in (-1, -2)
        )
        return {at.topic: ends[at].offset - starts[at].offset for at in ends}

    def _newest(self, partners: Sequence[str]) -> dict[str, int]:
        existing = set(self._admin.list_topics())
        places = [TopicPartition(name, 0) for name in all_topics(partners) if name in existing]
        found = self._admin.list_partition_offsets(dict.fromkeys(places, _NEWEST)) if places else {}
        return {at.topic: int(item.timestamp) for at, item in found.items() if item.timestamp > 0}

    def _free_bytes(self) -> dict[str, int]:
        return {
            f"broker {answer['broker']}: {disk['log_dir']}": int(disk["usable_bytes"])
            for answer in self._admin.describe_log_dirs()
            for disk in answer["log_dirs"]
            if disk.get("usable_bytes", -1) >= 0
        }

    def retention_ms(self, topic: str) -> int:
        """How long a topic keeps messages, in milliseconds."""
        found = self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return int(found["topic"][topic]["retention.ms"]["value"])


@contextmanager
def open_broker(
    settings: ServiceSettings, replication: int, retention_days: int
) -> Iterator[Broker]:
    """Connect as an operator. Raises BusError."""
    admin = connect(KafkaAdminClient, settings)
    try:
        yield Broker(admin, replication, retention_days)
    finally:
        admin.close()


def _asking(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except KafkaError as error:
        raise BusError(
            f"Kafka refused or failed ({type(error).__name__}).",
            "Check that the broker runs and that the certificate is an operator's.",
        ) from None


def _acl(who: str, grant: Grant) -> ACL:
    pattern = ResourcePattern(ResourceType.TOPIC, grant.topic)
    return ACL(who, "*", _OPERATIONS[grant.right], ACLPermissionType.ALLOW, pattern)


def _right_of(acl: ACL) -> Right | None:
    """The right that an ACL grants; None if this tool never makes such an ACL."""
    rights = {operation: right for right, operation in _OPERATIONS.items()}
    pattern = acl.resource_pattern
    ours = (acl.permission_type, acl.host, pattern.resource_type, pattern.pattern_type) == (
        ACLPermissionType.ALLOW,
        "*",
        ResourceType.TOPIC,
        ACLResourcePatternType.LITERAL,
    )
    if not ours or acl.operation not in rights:
        return None
    return acl.principal, Grant(rights[acl.operation], pattern.resource_name)


def _exactly(acl: ACL) -> ACLFilter:
    pattern = acl.resource_pattern
    narrow = ResourcePatternFilter(
        pattern.resource_type, pattern.resource_name, pattern.pattern_type
    )
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, narrow)


def _describe(acl: ACL) -> str:
    pattern = acl.resource_pattern
    return (
        f"{acl.permission_type.name.lower()} {acl.principal} {acl.operation.name.lower()} "
        f"{pattern.resource_type.name.lower()} {pattern.resource_name}"
    )
