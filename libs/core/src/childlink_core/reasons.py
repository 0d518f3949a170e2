"""Reason codes for refused batches and records, on the wire, in metrics and in `status`."""

from typing import Final

# Batches refused before they are opened.
NOT_A_BATCH: Final = "not-a-batch"
UNKNOWN_SENDER: Final = "unknown-sender"
BAD_SIGNATURE: Final = "bad-signature"
WRONG_TOPIC: Final = "wrong-topic"
WRONG_READER: Final = "wrong-reader"
UNKNOWN_SCHEMA: Final = "unknown-schema"
REPLAY: Final = "replay"
OLD_EPOCH: Final = "old-epoch"
GAP: Final = "gap"
# Batches refused after they are opened.
CANNOT_OPEN: Final = "cannot-open"
MALFORMED: Final = "malformed"
UNKNOWN_PROFILE: Final = "unknown-profile"
UNKNOWN_KEY_VERSION: Final = "unknown-key-version"
UNKNOWN_DATASET: Final = "unknown-dataset"
# Batches that the sending site gave up.
RESTORED: Final = "restored"
HUB_RESTORED: Final = "hub-restored"
# Records of an accepted batch.
BAD_REFERENCE: Final = "bad-reference"
BAD_FILTER: Final = "bad-filter"
EMPTY_SUBJECT: Final = "empty-subject"
BAD_VALUE: Final = "bad-value"
SHARED_ID: Final = "shared-id"
CANNOT_OPEN_CAPSULE: Final = "cannot-open-capsule"

EXPLANATIONS: Final[dict[str, str]] = {
    NOT_A_BATCH: "The message is not a childlink batch.",
    UNKNOWN_SENDER: (
        "The sender, or the key it signed with, is not in the directory. Send the hub your public"
        " keys."
    ),
    BAD_SIGNATURE: (
        "The signature does not match. The batch was changed on the way, or signed with another"
        " key."
    ),
    WRONG_TOPIC: "The batch was made for another topic.",
    WRONG_READER: (
        "The batch is sealed to another service or an unknown key. Fetch the hub's current"
        " directory."
    ),
    UNKNOWN_SCHEMA: (
        "The batch's schema version is not known here. Install matching versions of childlink."
    ),
    REPLAY: "A batch with this sequence number but different content was already read.",
    OLD_EPOCH: "The batch belongs to an earlier epoch of the sender's outbox.",
    GAP: (
        "An earlier batch is missing. The sender resends from the expected number. You do not"
        " need to do anything."
    ),
    CANNOT_OPEN: ("This service's key cannot open the seal. Fetch the hub's current directory."),
    MALFORMED: "The content does not match the schema. Report this as a defect of the sender.",
    UNKNOWN_PROFILE: (
        "The encoding profile, or its fingerprint, is not the partnership's. Install the agreed"
        " profile."
    ),
    UNKNOWN_KEY_VERSION: (
        "The linkage secret's version is not in use. Ask the key custodian for the current one."
    ),
    UNKNOWN_DATASET: (
        "The dataset contract, or its version, is not known here. Install matching versions."
    ),
    HUB_RESTORED: (
        "The hub was restored from a backup that is older than this row. Run every feed again with"
        " an extract that holds everyone."
    ),
    RESTORED: (
        "The site's spool was restored from a backup or newly made, so its record of what was"
        " sent may be wrong. Run `childlink-ingest after-restore`, then run the extract again."
    ),
    BAD_REFERENCE: "A reference has the wrong length.",
    BAD_FILTER: "A pass has segments that do not match its profile, or its own list.",
    EMPTY_SUBJECT: (
        "The subject has neither an NHS number nor enough fields for any pass, so it cannot be"
        " linked."
    ),
    BAD_VALUE: "A value is outside what the dataset contract allows.",
    SHARED_ID: (
        "Your extracts give this person's id to different people. The record is kept, but"
        " not linked until the extracts agree. Check for a placeholder id or a wrong id column,"
        " correct it, and run the extracts again."
    ),
    CANNOT_OPEN_CAPSULE: "The capsule of a link cannot be opened.",
}
