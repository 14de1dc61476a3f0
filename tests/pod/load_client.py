"""Sends numbered envelopes to a pod in batches, and again what it got no answer to, until all are in the log."""

from __future__ import annotations

import json
import os
import sys
import time

from tests.pod.pod_process import Client, Json, batch, envelope

_BATCH = 256
_PATIENCE = 40.0  # seconds


def main(path: str, producer: str, number: int) -> None:
    """Send; print as JSON what the pod has answered."""
    told = {"accepted": 0, "duplicates": 0, "attempts": 0, "pid": os.getpid()}
    deadline = time.monotonic() + _PATIENCE
    client: Client | None = None
    for start in range(0, number, _BATCH):
        request = batch(envelope(producer, each) for each in range(start, min(number, start + _BATCH)))
        while True:
            told["attempts"] += 1
            try:
                client = client or Client(path, timeout=5.0)
                reply = client.ask(request)
            except (OSError, ValueError):
                # Whether it was written is not known: it is sent again, and the pod tells what it has.
                if client is not None:
                    client.close()
                client = None
                reply = {"status": "none"}
            if reply["status"] == "ok":
                break
            if time.monotonic() > deadline:
                sys.exit(f"no answer: {reply}")
            time.sleep(0.02)
        _count(told, reply)
    if client is not None:
        client.close()
    print(json.dumps(told))


def _count(told: dict[str, int], reply: Json) -> None:
    if reply["rejected"]:
        sys.exit(f"rejected: {reply['rejected']}")
    for what in ("accepted", "duplicates"):
        number = reply[what]
        assert isinstance(number, int)
        told[what] += number


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
