"""The linker's tables. They hold references, encodings and random identifiers, but no real-world
identifiers, attributes or dataset names.
"""

import sqlalchemy as sa
from childlink_bus.audit import Audit
from childlink_bus.stream_state import StreamState

metadata = sa.MetaData()
stream_state = StreamState(metadata)
audit = Audit(metadata)

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# A partner's sealed capsule keys, one for each batch. The linker cannot open them.
capsule_key = sa.Table(
    "capsule_key",
    metadata,
    sa.Column("capsule_key_id", _Id, primary_key=True, autoincrement=False),
    sa.Column("partner", sa.String(64), nullable=False),
    sa.Column("sealed_key", sa.LargeBinary, nullable=False),
)

# A person. `family_id` is the person's family.
person = sa.Table(
    "person",
    metadata,
    sa.Column("person_id", sa.String(16), primary_key=True),
    sa.Column("role", sa.SmallInteger, nullable=False),
    sa.Column("age", _Id, nullable=False, comment="order of creation; smaller is older"),
    sa.Column("family_id", sa.String(16), nullable=True, index=True),
)

# A family. Its anchor is the primary carer, or a child without one.
family = sa.Table(
    "family",
    metadata,
    sa.Column("family_id", sa.String(16), primary_key=True),
    sa.Column("anchor_person_id", sa.String(16), nullable=False, unique=True),
)

# A person as one partner knows them, in one id space.
subject = sa.Table(
    "subject",
    metadata,
    sa.Column("subject_id", _Id, primary_key=True, autoincrement=False),
    sa.Column("partner", sa.String(64), nullable=False),
    sa.Column("link_reference", sa.LargeBinary(16), nullable=False),
    sa.Column("role", sa.SmallInteger, nullable=False),
    sa.Column("person_id", sa.String(16), nullable=True, index=True),
    sa.Column("link_version", sa.BigInteger, nullable=False),
    sa.Column("capsule", sa.LargeBinary, nullable=False),
    sa.Column("capsule_key_id", _Id, nullable=False),
    sa.UniqueConstraint("link_reference", "partner"),
)

# At most one row: the greatest link version of any withdrawn subject. Analytics keeps the last
# version of each withdrawn subject. If the subject returns, analytics accepts only a greater
# version, whatever the clock says.
gone_version = sa.Table(
    "gone_version",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
)

# One encoding of a subject, for one dataset (facet).
record = sa.Table(
    "record",
    metadata,
    sa.Column("record_id", _Id, primary_key=True, autoincrement=False),
    sa.Column("subject_id", _Id, nullable=False, index=True),
    sa.Column("facet", sa.LargeBinary(4), nullable=False),
    sa.Column("key_version", sa.Integer, nullable=False),
    sa.Column("digest", sa.LargeBinary(16), nullable=False),
    sa.Column("encoding", sa.LargeBinary, nullable=False, comment="encrypted; see encodings.py"),
    sa.UniqueConstraint("subject_id", "facet"),
)

# Blocking keys of records, blinded (see `vault`). They show only which records share a key.
block_key = sa.Table(
    "block_key",
    metadata,
    sa.Column("key", _Id, primary_key=True),
    sa.Column("record_id", _Id, primary_key=True, index=True),
)

# Pairs of records at or above the review threshold, which form components. smaller < larger.
edge = sa.Table(
    "edge",
    metadata,
    sa.Column("smaller", _Id, primary_key=True),
    sa.Column("larger", _Id, primary_key=True, index=True),
    sa.Column("weight", sa.Float, nullable=False),
)

# A child record's declared parent or carer.
carer = sa.Table(
    "carer",
    metadata,
    sa.Column("record_id", _Id, primary_key=True),
    sa.Column("child_subject_id", _Id, nullable=False, index=True),
    sa.Column("partner", sa.String(64), nullable=False),
    sa.Column("adult_reference", sa.LargeBinary(16), primary_key=True),
    sa.Column("relation", sa.SmallInteger, primary_key=True),
    sa.Index("carer_adult", "adult_reference", "partner"),
)

# Pairs of persons for a data steward to review.
review_pair = sa.Table(
    "review_pair",
    metadata,
    sa.Column("smaller_subject_id", _Id, primary_key=True),
    sa.Column("larger_subject_id", _Id, primary_key=True, index=True),
    sa.Column("weight", sa.Float, nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False, server_default="0"),
)

# Data stewards' decisions about doubtful pairs. They are kept when records are re-linked.
decision = sa.Table(
    "decision",
    metadata,
    sa.Column("decision_id", _Id, primary_key=True, autoincrement=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("steward", sa.String(64), nullable=False),
    sa.Column("smaller_subject_id", _Id, nullable=False, index=True),
    sa.Column("larger_subject_id", _Id, nullable=False, index=True),
    sa.Column("verdict", sa.String(16), nullable=False, comment="same, different, unsure, passed"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asks_second", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("undone_at_ms", sa.BigInteger, nullable=True),
    sa.Column("undone_by", sa.String(64), nullable=True),
)

# Requests to a partner to check its own record of a subject. outcome NULL: not answered yet.
own_check = sa.Table(
    "own_check",
    metadata,
    sa.Column("request_id", sa.LargeBinary(16), primary_key=True),
    sa.Column("subject_id", _Id, nullable=False, index=True),
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.String(32), nullable=True),
)

# All changes of identifiers, in order. `replay` rebuilds the identifiers of the other tables from
# it.
event = sa.Table(
    "event",
    metadata,
    sa.Column("event_id", _Id, primary_key=True, autoincrement=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column(
        "kind",
        sa.String(16),
        nullable=False,
        comment="assigned, withdrawn, family, anchored, ended",
    ),
    sa.Column("subject_id", _Id, nullable=True, index=True),
    sa.Column("person_id", sa.String(16), nullable=True, index=True),
    sa.Column("previous_person_id", sa.String(16), nullable=True),
    sa.Column("family_id", sa.String(16), nullable=True, index=True),
)

# A partition that `relink` proposed. It changes nothing until it is approved.
proposal = sa.Table(
    "proposal",
    metadata,
    sa.Column("proposal_id", _Id, primary_key=True, autoincrement=True),
    sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    sa.Column("engine", sa.String(16), nullable=False),
    sa.Column("profile", sa.String(64), nullable=False),
    sa.Column("parameters", sa.Text, nullable=False, comment="the parameter file"),
    sa.Column("records", _Id, nullable=False),
    sa.Column(
        "newest_record_id",
        _Id,
        nullable=False,
        comment="no id up to this one is given again while the proposal waits",
    ),
    sa.Column("changes", _Id, nullable=False),
    sa.Column("merges", _Id, nullable=False),
    sa.Column("splits", _Id, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, comment="waiting, approved, rejected"),
    sa.Column("decided_at_ms", sa.BigInteger, nullable=True),
    sa.Column("decided_by", sa.String(64), nullable=True),
    sa.Column(
        "skipped",
        _Id,
        nullable=True,
        comment="changes whose records or decisions were others by then",
    ),
)

# One change of a proposal: whole components and whole current persons.
proposed_change = sa.Table(
    "proposed_change",
    metadata,
    sa.Column("proposal_id", _Id, primary_key=True),
    sa.Column("change_id", _Id, primary_key=True),
    sa.Column(
        "fingerprint",
        sa.LargeBinary(16),
        nullable=False,
        comment="of its records, decisions and persons",
    ),
    sa.Column("merges", _Id, nullable=False),
    sa.Column("splits", _Id, nullable=False),
)

# Members of a change. Subjects with the same cluster would become one person.
proposed_member = sa.Table(
    "proposed_member",
    metadata,
    sa.Column("proposal_id", _Id, primary_key=True),
    sa.Column("subject_id", _Id, primary_key=True),
    sa.Column("change_id", _Id, nullable=False),
    sa.Column("cluster", _Id, nullable=False),
    sa.Index("ix_proposed_member_change", "proposal_id", "change_id"),
)

# The edges between all records under the proposal's parameters.
proposed_edge = sa.Table(
    "proposed_edge",
    metadata,
    sa.Column("proposal_id", _Id, primary_key=True),
    sa.Column("smaller", _Id, primary_key=True),
    sa.Column("larger", _Id, primary_key=True),
    sa.Column("weight", sa.Float, nullable=False),
)

# One row: the profile under which all records are encoded.
encoding_profile = sa.Table(
    "encoding_profile",
    metadata,
    sa.Column("only", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("profile", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, comment="hardened, clk"),
    sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
)

# Rows are only added to these tables. The service's database role has no right to change them (see
# `childlink_bus.service_role`).
APPEND_ONLY = (audit.entries, event)
