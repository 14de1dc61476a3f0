"""What an audit log tells of, by name: the `action` of a line."""

from __future__ import annotations

from typing import Final

AGENT_COAT: Final = "agent_coat"
"""An envelope; `detail` is its JSON. Every other action's `detail` is a JSON object of its own."""

PROCESS_START: Final = "process_start"
PROCESS_EXIT: Final = "process_exit"
FILE_OPEN: Final = "file_open"
NET_CONNECT: Final = "net_connect"
DNS_QUERY: Final = "dns_query"
POLICY_VIOLATION: Final = "policy_violation"
ACTIVITY: Final = frozenset({PROCESS_START, PROCESS_EXIT, FILE_OPEN, NET_CONNECT, DNS_QUERY})
"""What a machine does on behalf of an agent."""
OF_PROCESSES: Final = ACTIVITY | {POLICY_VIOLATION}
"""What may be told of a process without its operation, which is then guessed."""

RESOURCE: Final = "resource"
LIMIT_WARNING: Final = "limit_warning"
ARTIFACT: Final = "artifact"
INSTALL: Final = "install"

CLAIM: Final = "claim"
RELEASE: Final = "release"
GATE: Final = "gate"
"""An action that waits for approval, and what became of it."""

POD_START: Final = "pod_start"
POD_STOP: Final = "pod_stop"
TORN_LINE: Final = "torn_line"
"""The log ended in half a line, which was put aside."""
BAD_REQUEST: Final = "bad_request"
