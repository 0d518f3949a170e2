"""Splits a row into its identity half and its attribute half. The two share no reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from childlink_catalogue.datasets import Attribute
from childlink_core.references import ReferenceKeys

from childlink_ingest.mapping.definition import Mapping as ExtractMapping
from childlink_ingest.model.rows import Identity, Relation, Role, Row


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject of a row, before encoding."""

    role: Role
    identity: Identity
    link_reference: bytes
    analytics_reference: bytes
    facet: bytes
    carer: tuple[bytes, Relation] | None = None
    """A child's parent or carer on the same row: link reference and relation."""
    mother: Identity | None = field(default=None, repr=False)
    """The identity of the child's mother, if the row names her. It salts some passes."""
    child: Identity | None = field(default=None, repr=False)
    """The identity of an adult's child, if the row names one. It salts some passes."""
    relation: Relation | None = None
    """What an adult is to that child."""
    one_id_each: bool = True
    """Whether the source's ids are of people, so that a person has one."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The attribute half."""

    row_reference: bytes
    child_reference: bytes | None
    adult_reference: bytes | None
    attributes: Mapping[str, Attribute]


def split(
    row: Row, mapping: ExtractMapping, keys: ReferenceKeys
) -> tuple[Subject | None, Subject | None, Observation]:
    """Split a row into its child, its adult, and its observation."""
    facet = keys.facet(mapping.feed)
    adult = _subject(row.adult, "adult", mapping.adult_id_space, keys, facet)
    if adult:
        adult = replace(
            adult,
            child=row.child if row.relation else None,
            relation=row.relation if row.child else None,
            one_id_each=mapping.ids == "person",
        )
    child = _subject(row.child, "child", mapping.id_space, keys, facet, adult, row.relation)
    if child:
        child = replace(child, one_id_each=mapping.ids == "person")
    observation = Observation(
        keys.row(mapping.feed, row.row_id),
        child.analytics_reference if child else None,
        adult.analytics_reference if adult else None,
        row.attributes,
    )
    return child, adult, observation


def _subject(
    identity: Identity | None,
    role: Role,
    id_space: str,
    keys: ReferenceKeys,
    facet: bytes,
    adult: Subject | None = None,
    relation: Relation | None = None,
) -> Subject | None:
    if identity is None:
        return None
    return Subject(
        role,
        identity,
        keys.link(id_space, identity.person_id, role),
        keys.analytics(id_space, identity.person_id, role),
        facet,
        (adult.link_reference, relation) if adult and relation else None,
        adult.identity if adult and relation == "mother" else None,
    )
