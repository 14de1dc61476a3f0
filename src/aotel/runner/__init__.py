"""Runs a command under a pod of its own: instrumented if it is Python, watched whatever it is."""

from aotel.runner.options import RunOptions
from aotel.runner.run import run

__all__ = ["RunOptions", "run"]
