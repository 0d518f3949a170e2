"""The use case of `checks`: the linker asks whether the site recorded some of its people correctly.

The site looks them up and answers. Most are decoys, and the linker does not give a reason. The site
corrects errors in the source, and its next run sends them.
"""

from collections.abc import Collection, Mapping

from childlink.wire.v1 import encoded_pb2 as wire

from childlink_ingest.delivery.batches import SendingContext, queue_answers
from childlink_ingest.errors import ExtractError
from childlink_ingest.spool import Spool


def answer(
    spool: Spool,
    site: SendingContext,
    number: int,
    corrected: Collection[bytes],
    cannot_tell: Collection[bytes],
) -> int:
    """Answer a request: all people are right, except those named by link reference.

    Returns the number of people in the request. Raises ExtractError.
    """
    asked: Mapping[int, tuple[bytes, list[bytes]]] = spool.own_checks()
    if number not in asked:
        raise ExtractError(
            f"There is no open request {number}.", "`childlink-ingest checks` lists them."
        )
    request_id, references = asked[number]
    strangers = (set(corrected) | set(cannot_tell)) - set(references)
    if strangers:
        raise ExtractError(
            f"{len(strangers)} of the people named are not in request {number}.",
            "Only name people from `checks`.",
        )
    outcomes = {
        reference: (
            wire.OWN_CHECK_OUTCOME_CORRECTED
            if reference in corrected
            else wire.OWN_CHECK_OUTCOME_CANNOT_TELL
            if reference in cannot_tell
            else wire.OWN_CHECK_OUTCOME_RIGHT
        )
        for reference in references
    }
    with spool.transaction():
        queue_answers(
            spool,
            site,
            [
                wire.OwnCheckAnswer(request_id=request_id, link_reference=r, outcome=o)
                for r, o in outcomes.items()
            ],
        )
        spool.forget_own_check(number)
    return len(references)
