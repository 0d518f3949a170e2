"""The offset between this machine's clock and an NTP server's, by one SNTP request (RFC 4330)."""

import socket
import time
from typing import Final

from childlink_core.errors import UserError

_PORT: Final = 123
_TIMEOUT_S: Final = 5.0
# NTP counts seconds from 1900, Unix from 1970.
_SECONDS_1900_TO_1970: Final = 2_208_988_800
# Leap indicator 0, version 4, mode 3 (client).
_QUESTION: Final = b"\x23" + bytes(47)


def ahead_of(server: str) -> float:
    """Seconds by which this machine's clock is ahead of the server's (negative: behind).

    `server` is a host or host:port. Raises UserError.
    """
    host, _, port = server.partition(":")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(_TIMEOUT_S)
            sock.connect((host, int(port or _PORT)))
            asked = time.time()
            sock.send(_QUESTION)
            answer = sock.recv(512)
            answered = time.time()
    except (OSError, ValueError) as error:
        raise UserError(
            f"The time server {server} does not answer ({type(error).__name__}).",
            "Correct time_server.",
        ) from None
    if len(answer) < len(_QUESTION) or not answer[1]:
        raise UserError(
            f"The time server {server} does not know the time.", "Set another time_server."
        )
    there = (
        int.from_bytes(answer[40:44], "big")
        - _SECONDS_1900_TO_1970
        + int.from_bytes(answer[44:48], "big") / 2**32
    )
    return (asked + answered) / 2 - there
