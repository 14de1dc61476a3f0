"""The seam around an operation: just before and just after the call, on the OpenTelemetry API alone.

Every manual decorator and every SDK instrumentor goes through `Call`, so that what must know of an operation
before it runs (or instead of it) has one place to stand.
"""

from aotel.calls.call import Call, CallSite, enclosing_call
from aotel.calls.outcomes import Failure, Outcome, describe_error, outcome_named
from aotel.calls.pace import Pace
from aotel.calls.port import PORT, Port
from aotel.calls.scope import Scope, scope_of, with_scope

__all__ = [
    "PORT",
    "Call",
    "CallSite",
    "Failure",
    "Outcome",
    "Pace",
    "Port",
    "Scope",
    "describe_error",
    "enclosing_call",
    "outcome_named",
    "scope_of",
    "with_scope",
]
