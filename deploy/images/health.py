"""A container's health check, without curl or a shell: the process must serve its metrics, and its
loop must have come round within the last five minutes.
"""

import sys
import time
import urllib.request

LONGEST_S = 300.0
HEARTBEAT = "_last_step_timestamp_seconds"


def stalled_for(metrics: str, now: float) -> float:
    """Seconds since the oldest loop came round; 0 if the process has no loop, or has not begun.

    >>> stalled_for("childlink_linker_last_step_timestamp_seconds 1000.0\\n", 1400.0)
    400.0
    >>> stalled_for("childlink_linker_last_step_timestamp_seconds 0.0\\nup 1\\n", 1400.0)
    0.0
    """
    steps = [
        float(line.rsplit(" ", 1)[1])
        for line in metrics.splitlines()
        if line.partition("{")[0].partition(" ")[0].endswith(HEARTBEAT)
    ]
    begun = [step for step in steps if step > 0.0]
    return now - min(begun) if begun else 0.0


if __name__ == "__main__":
    with urllib.request.urlopen("http://127.0.0.1:9100/metrics", timeout=4) as page:
        waited = stalled_for(page.read().decode(), time.time())
    if waited > LONGEST_S:
        sys.exit(f"its loop has not come round for {waited:.0f} s")
