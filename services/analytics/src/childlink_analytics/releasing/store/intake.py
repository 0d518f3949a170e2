"""Turns opened batches into rows: parses them, checks them against the dataset contracts, and opens
capsules.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from childlink.wire.v1 import encoded_pb2, link_pb2, observation_pb2
from childlink_bus.stream_processor import Handled, OpenedBatch, ReadUpTo, Result
from childlink_catalogue.catalogue import all_datasets
from childlink_catalogue.datasets import Attribute, Dataset
from childlink_core import reasons, topics
from childlink_core.capsule import CapsuleOpener
from childlink_core.keys import OpeningKey
from childlink_core.references import REFERENCE_BYTES
from google.protobuf.message import DecodeError

from childlink_analytics.releasing.store.store import Store

Row = dict[str, Any]


@dataclass(frozen=True)
class StoreHandler:
    """See `childlink_bus.stream_processor.Handler`."""

    opening_keys: tuple[OpeningKey, ...]

    def __call__(
        self, tx: sa.Connection, batches: Sequence[OpenedBatch], read: ReadUpTo
    ) -> Handled:
        """Store the contents of the batches."""
        store = Store(tx)
        results = []
        for batch in batches:
            try:
                results.append(
                    self._links(store, batch)
                    if batch.topic == topics.LINKS
                    else self._observations(store, batch)
                )
            except DecodeError:
                results.append(Result(reason=reasons.MALFORMED))
        traces = dict.fromkeys(batch.traceparent for batch in batches if batch.traceparent)
        if traces:
            store.note_traces(traces, int(time.time() * 1000))
        return Handled(results)

    def _links(self, store: Store, opened: OpenedBatch) -> Result:
        batch = link_pb2.LinkBatch.FromString(opened.payload)
        openers = [
            (key.partner, CapsuleOpener.unlock(key.sealed_key, key.partner, self.opening_keys))
            for key in batch.capsule_keys
        ]
        rows: dict[tuple[str, bytes], Row] = {}
        refused = []
        for index, link in enumerate(batch.links):
            partner, opener = (
                openers[link.capsule_key] if link.capsule_key < len(openers) else ("", None)
            )
            reference = opener.open(link.capsule) if opener else None
            if reference is None or link.role not in (
                encoded_pb2.ROLE_CHILD,
                encoded_pb2.ROLE_ADULT,
            ):
                refused.append((index, reasons.CANNOT_OPEN_CAPSULE))
                continue
            row = {
                "partner": partner,
                "reference": reference,
                "role": link.role,
                "version": link.version,
                "person": link.person if link.HasField("person") else None,
                "family": link.family if link.HasField("family") else None,
                "parameter_version": batch.parameter_version[:64],
            }
            known = rows.get((partner, reference))
            if known is None or known["version"] < link.version:
                rows[partner, reference] = row
        store.put_links(list(rows.values()))
        for item in batch.read_up_to:
            store.note_progress(item.partner, "linked", item.position.epoch, item.position.sequence)
        return Result(accepted=len(batch.links) - len(refused), refused=tuple(refused))

    def _observations(self, store: Store, opened: OpenedBatch) -> Result:
        batch = observation_pb2.ObservationBatch.FromString(opened.payload)
        dataset = all_datasets().get(batch.dataset)
        # A sender may be older than this hub. Contracts only gain optional fields, so fields are
        # read by name.
        names = tuple(batch.fields)
        if (
            dataset is None
            or batch.dataset_version > dataset.version
            or len(set(names)) != len(names)
            or not set(names) <= {field.name for field in dataset.fields}
        ):
            return Result(reason=reasons.UNKNOWN_DATASET)
        rows: dict[bytes, Row] = {}
        refused = []
        for index, observation in enumerate(batch.observations):
            row = read_observation(observation, dataset, names)
            if isinstance(row, str):
                refused.append((index, row))
            else:
                rows[observation.row_reference] = {"partner": opened.sender, **row}
        store.put_observations(list(rows.values()))
        store.withdraw(opened.sender, [tombstone.reference for tombstone in batch.tombstones])
        if batch.HasField("after_encodings"):
            store.note_progress(
                opened.sender, "needed", batch.after_encodings.epoch, batch.after_encodings.sequence
            )
        return Result(
            accepted=len(batch.observations) - len(refused) + len(batch.tombstones),
            refused=tuple(refused),
        )


def read_observation(
    observation: observation_pb2.Observation, dataset: Dataset, names: Sequence[str]
) -> Row | str:
    """Returns a row for the store, or the reason why the observation is refused. `names` are the
    names of its values.
    """
    references = [observation.row_reference]
    references += [observation.child_reference] if observation.HasField("child_reference") else []
    references += [observation.adult_reference] if observation.HasField("adult_reference") else []
    if len(references) == 1 or any(len(reference) != REFERENCE_BYTES for reference in references):
        return reasons.BAD_REFERENCE
    if len(observation.values) != len(names):
        return reasons.BAD_VALUE
    values = dict(zip(names, observation.values, strict=True))
    attributes: dict[str, Attribute] = {}
    for field in dataset.fields:
        value = values.get(field.name)
        kind = value.WhichOneof("kind") if value is not None else None
        if value is None or kind is None:
            if field.required:
                return reasons.BAD_VALUE
            continue
        read: Attribute = getattr(value, kind)
        if field.problem_with(read):
            return reasons.BAD_VALUE
        attributes[field.name] = read
    return {
        "row_reference": observation.row_reference,
        "dataset": dataset.name,
        # A list of people says of nothing when it happened.
        "month": str(attributes[dataset.event]) if dataset.event else "",
        "child_reference": observation.child_reference
        if observation.HasField("child_reference")
        else None,
        "adult_reference": observation.adult_reference
        if observation.HasField("adult_reference")
        else None,
        "attributes": json.dumps(attributes, sort_keys=True, separators=(",", ":")),
    }
