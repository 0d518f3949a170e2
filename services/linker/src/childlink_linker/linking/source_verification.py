"""The use case of "check your own row": a partner checks what it recorded about its own people.

A steward can ask the partner of a doubtful person. The request names the person among decoys, all
of them the partner's own people. So the partner does not learn whom the question is about, or that
another partner knows the child. The steward sees the partner's finding. A correction arrives as a
changed record and is linked again.
"""

import secrets
import time
from collections.abc import Iterable
from typing import Final

from childlink.wire.v1 import encoded_pb2, receipt_pb2
from childlink_core.references import REFERENCE_BYTES

from childlink_linker.errors import ReviewError
from childlink_linker.records import Answer
from childlink_linker.store import tables as t
from childlink_linker.store.store import Store

DECOYS: Final = 9
OUTCOMES: Final[dict[int, str]] = {
    encoded_pb2.OWN_CHECK_OUTCOME_RIGHT: "recorded right",
    encoded_pb2.OWN_CHECK_OUTCOME_CORRECTED: "was wrong, is corrected",
    encoded_pb2.OWN_CHECK_OUTCOME_CANNOT_TELL: "cannot tell",
}


def ask(store: Store, subject_id: int, steward: str) -> tuple[str, receipt_pb2.OwnCheck]:
    """Ask the partner of a subject. Returns the partner and the request to send. Raises
    ReviewError.
    """
    store.lock()
    if any(row.outcome is None for row in store.own_checks([subject_id])):
        raise ReviewError(
            "That partner has already been asked and has not answered yet.", "Wait for the answer."
        )
    subject = store.subjects([subject_id])[subject_id]
    asked = [subject, *store.some_subjects(subject.partner, subject.role, subject_id, DECOYS)]
    if len(asked) <= DECOYS:
        raise ReviewError(
            f"That partner has sent fewer than {DECOYS + 1} such people, so a question would reveal"
            " whom it is about.",
            "Decide without asking, or wait until the partner has sent more records.",
        )
    request_id = secrets.token_bytes(REFERENCE_BYTES)
    store.insert(
        t.own_check,
        [
            {
                "request_id": request_id,
                "subject_id": subject_id,
                "asked_by": steward,
                "asked_at_ms": int(time.time() * 1000),
            }
        ],
    )
    references = sorted(
        (item.link_reference for item in asked), key=lambda _reference: secrets.randbits(64)
    )
    return subject.partner, receipt_pb2.OwnCheck(request_id=request_id, link_references=references)


def take_answers(store: Store, answers: Iterable[Answer]) -> None:
    """Store the answers about the people the requests were about. Answers about decoys are
    discarded.
    """
    for answer in answers:
        if answer.outcome in OUTCOMES:
            store.answer_own_check(
                answer.partner, answer.request_id, answer.link_reference, OUTCOMES[answer.outcome]
            )
