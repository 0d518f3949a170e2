"""Why a batch or a record is refused: the one list of codes on the wire, in metrics and in
`status`.
"""

from typing import Final

# Batches: refused before they are opened.
NOT_A_BATCH: Final = "not-a-batch"
UNKNOWN_SENDER: Final = "unknown-sender"
BAD_SIGNATURE: Final = "bad-signature"
WRONG_TOPIC: Final = "wrong-topic"
WRONG_READER: Final = "wrong-reader"
UNKNOWN_SCHEMA: Final = "unknown-schema"
REPLAY: Final = "replay"
OLD_EPOCH: Final = "old-epoch"
GAP: Final = "gap"
# Batches: refused once opened.
CANNOT_OPEN: Final = "cannot-open"
MALFORMED: Final = "malformed"
UNKNOWN_PROFILE: Final = "unknown-profile"
UNKNOWN_KEY_VERSION: Final = "unknown-key-version"
UNKNOWN_DATASET: Final = "unknown-dataset"
# Batches: given up by the site that sealed them.
RESTORED: Final = "restored"
# Records out of an accepted batch.
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
    REPLAY: "A batch with this sequence number was already read, with other content.",
    OLD_EPOCH: "The batch belongs to an earlier life of the sender's outbox.",
    GAP: (
        "An earlier batch is missing. The sender sends again from the expected number; nothing"
        " needs doing."
    ),
    CANNOT_OPEN: (
        "The seal does not open with this service's key. Fetch the hub's current directory."
    ),
    MALFORMED: "The content does not follow the schema. Report this: it is a defect in the sender.",
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
    RESTORED: (
        "The site's spool was put back from a backup or made anew, so whatever it says was sent is"
        " in doubt. See `childlink-ingest after-restore`, then run the extract again."
    ),
    BAD_REFERENCE: "A reference has the wrong length.",
    BAD_FILTER: "A pass has other segments than its profile says, or than it says itself.",
    EMPTY_SUBJECT: (
        "The subject has neither an NHS number nor enough fields for any pass, so it cannot be"
        " linked."
    ),
    BAD_VALUE: "A value is outside what the dataset contract allows.",
    SHARED_ID: (
        "Your extracts give this person's id to different people. The record is kept, and linked"
        " with nobody until they agree. Look for a placeholder or a wrong column as the id, correct"
        " it, and run the extracts again."
    ),
    CANNOT_OPEN_CAPSULE: "A link's capsule does not open.",
}
