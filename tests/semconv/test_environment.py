"""The table of environment variables is complete and agrees with itself."""

from __future__ import annotations

import pytest

from aotel.semconv import environment
from aotel.semconv.environment import VARIABLES, Variable

CONTRACT = {
    "ENVPOD_POD_ID": (),
    "ENVPOD_SOCKET": (),
    "AOTEL_CAPTURE": ("ENVPOD_COAT_CAPTURE",),
    "AOTEL_PREVIEW_LEN": ("ENVPOD_COAT_PREVIEW_LEN",),
    "AOTEL_CONTENT_LIMIT": (),
    "AOTEL_AGENT_ID": ("ENVPOD_AGENT_ID",),
    "AOTEL_AGENT_ROLE": ("ENVPOD_AGENT_ROLE",),
    "AOTEL_SESSION_ID": (),
    "AOTEL_RUN_ID": (),
    "AOTEL_ENVELOPES": (),
    "AOTEL_BACKEND": (),
    "AOTEL_DIALECTS": (),
    "AOTEL_KEEP": (),
    "AOTEL_KEEP_MAX_BYTES": (),
    "AOTEL_PROPAGATE": (),
    "AOTEL_INSTRUMENT": (),
    "AOTEL_REDACT_NAMES": (),
    "AOTEL_REDACT_PATTERNS": (),
    "AOTEL_REDACTION_KEY": (),
    "AOTEL_HASH_KEY": (),
    "AOTEL_CONSOLE": (),
    "AOTEL_CONSOLE_LEVEL": (),
    "AOTEL_SENSOR": (),
    "AOTEL_SENSOR_POLICY": (),
    "AOTEL_DURABILITY": (),
    "AOTEL_SPOOL_DIR": (),
    "AOTEL_SPOOL_MAX_BYTES": (),
    "AOTEL_FLUSH": (),
    "AOTEL_SIGTERM": (),
    "AOTEL_DISABLED": (),
}


def test_our_own_variables_are_those_of_the_contract() -> None:
    ours = {v.name: v.aliases for v in VARIABLES if v.name.startswith(("AOTEL_", "ENVPOD_"))}
    assert ours == CONTRACT


def test_no_variable_is_there_twice() -> None:
    names = [variable.name for variable in VARIABLES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_a_variable_is_a_constant_of_its_name_and_says_what_it_does(variable: Variable) -> None:
    assert getattr(environment, variable.name) is variable
    assert variable.brief.endswith(".")
    assert variable.default is None or not variable.members or set(variable.default.split(",")) <= set(variable.members)
