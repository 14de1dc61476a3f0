"""What a process does beside its operations: which files it opens, whom it connects to, what it starts."""

from aotel.sensor import policy
from aotel.sensor.activity import start, stop

__all__ = ["policy", "start", "stop"]
