"""`pod.toml`: what it may say, and that every mistake is named by its key."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.errors import ConfigurationError
from aotel.pod.config import (
    ActionConfig,
    AgentConfig,
    AuditConfig,
    ParamConfig,
    PodConfig,
    SocketsConfig,
    load,
    parse,
)
from aotel.pod.options import PodOptions, read_key

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE = """
pod_id = "build-7"

[[agents]]
id = "reviewer"
role = "code review"
capabilities = ["read", "comment"]
claim = { uids = [1000, 0] }
max_ttl_secs = 7200

[[agents]]
id = "plain"

[[actions]]
name = "send_mail"
description = "Send an e-mail"
tier = "delayed"
delay_secs = 0
params = [{ name = "to", type = "string", required = true }, { name = "copies", type = "integer" }]

[[actions]]
name = "deploy"

[audit]
rotate_bytes = 1000000
fsync = "always"
key_file = "audit.key"

[sockets]
mode = "0666"
directory_mode = 0o755

[forward]
otlp = "http://localhost:4317"
"""


def test_everything_that_it_may_say(tmp_path: Path) -> None:
    path = tmp_path / "pod.toml"
    path.write_text(COMPLETE)
    assert load(path) == PodConfig(
        "build-7",
        (
            AgentConfig("reviewer", "code review", ("read", "comment"), (1000, 0), 7200),
            AgentConfig("plain", max_ttl_secs=86_400),
        ),
        (
            ActionConfig(
                "send_mail",
                "Send an e-mail",
                "delayed",
                (ParamConfig("to", "string", required=True), ParamConfig("copies", "integer")),
                0,
            ),
            ActionConfig("deploy", tier="staged"),
        ),
        AuditConfig(1_000_000, "always", tmp_path / "audit.key"),
        SocketsConfig(0o666, 0o755),
        "http://localhost:4317",
    )


def test_nothing_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "pod.toml"
    path.write_text("")
    assert load(path) == PodConfig()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pod_id = 7", "pod_id: expected a string that is not empty, got 7"),
        ('pod_id = " "', "pod_id: expected a string that is not empty, got ' '"),
        ('pod = "x"', "unknown key pod; expected some of actions, agents, audit, forward, pod_id, sockets"),
        ("agents = 3", "agents: expected an array of tables, got 3"),
        ("agents = [1]", "agents[0]: expected a table, got 1"),
        ("[[agents]]", "agents[0].id is missing; expected a string"),
        ('[[agents]]\nid = ""', "agents[0].id: expected a string that is not empty, got ''"),
        ('[[agents]]\nid = "a"\n[[agents]]\nid = "a"', "agents[1].id: 'a' is taken by agents[0]; expected another"),
        ('[[agents]]\nid = "a"\nrole = true', "agents[0].role: expected a string, got True"),
        ('[[agents]]\nid = "a"\nrights = []', "unknown key agents[0].rights; expected some of"),
        ('[[agents]]\nid = "a"\ncapabilities = "read"', "agents[0].capabilities: expected an array of strings, got 'r"),
        ('[[agents]]\nid = "a"\ncapabilities = ["a", 1]', "agents[0].capabilities[1]: expected a string, got 1"),
        ('[[agents]]\nid = "a"\nclaim = 1', "agents[0].claim: expected a table, got 1"),
        ('[[agents]]\nid = "a"\nclaim = { uid = 1 }', "unknown key agents[0].claim.uid; expected some of uids"),
        (
            '[[agents]]\nid = "a"\nclaim = { uids = 1 }',
            "agents[0].claim.uids: expected an array of whole numbers from 0",
        ),
        ('[[agents]]\nid = "a"\nclaim = { uids = [-1] }', "agents[0].claim.uids[0]: expected a whole number from 0 to"),
        ('[[agents]]\nid = "a"\nclaim = { uids = [true] }', "agents[0].claim.uids[0]: expected a number, got True"),
        ('[[agents]]\nid = "a"\nmax_ttl_secs = 0', "agents[0].max_ttl_secs: expected a number above 0, got 0"),
        ('[[agents]]\nid = "a"\nmax_ttl_secs = nan', "agents[0].max_ttl_secs: expected a number above 0, got nan"),
        ('[[agents]]\nid = "a"\nmax_ttl_secs = true', "agents[0].max_ttl_secs: expected a number above 0, got True"),
        (
            '[[actions]]\nname = "a"\ntier = "now"',
            "actions[0].tier: expected one of immediate, delayed, staged, blocked",
        ),
        ('[[actions]]\nname = "a"\ndelay_secs = -1', "actions[0].delay_secs: expected a number from 0, got -1"),
        ('[[actions]]\nname = "a"\nparams = [{}]', "actions[0].params[0].name is missing"),
        (
            '[[actions]]\nname = "a"\nparams = [{name="x",type="float"}]',
            "actions[0].params[0].type: expected one of str",
        ),
        (
            '[[actions]]\nname = "a"\nparams = [{name="x",required=1}]',
            "actions[0].params[0].required: expected true or",
        ),
        (
            '[[actions]]\nname = "a"\nparams = [{name="x"},{name="x"}]',
            "actions[0].params[1].name: 'x' is taken by actions[0].params[0]",
        ),
        ("[audit]\nrotate_bytes = 1.5", "audit.rotate_bytes: expected a whole number from 1, got 1.5"),
        ('[audit]\nfsync = "sometimes"', "audit.fsync: expected one of none, interval, always, got 'sometimes'"),
        ('[audit]\nkey = "k"', "unknown key audit.key; expected some of fsync, key_file, rotate_bytes"),
        ('[sockets]\nmode = "rw"', "sockets.mode: expected a mode in octal digits, such as \"0660\", got 'rw'"),
        ("[sockets]\nmode = 100000", "sockets.mode: expected a mode in octal digits"),
        ("[sockets]\nmode = true", "sockets.mode: expected a mode in octal digits"),
        ('[forward]\notlp = ""', "forward.otlp: expected a string that is not empty"),
        ("pod_id = ", "is no TOML: "),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pod.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read: No such file"):
        load(tmp_path / "pod.toml")
    (tmp_path / "pod.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is no TOML"):
        load(tmp_path / "pod.toml")


_KEYS = st.sampled_from(
    [
        *("pod_id", "agents", "actions", "audit", "sockets", "forward", "id", "role", "capabilities", "claim", "uids"),
        *("max_ttl_secs", "name", "description", "tier", "params", "type", "required", "delay_secs", "rotate_bytes"),
        *("fsync", "key_file", "mode", "directory_mode", "otlp", "odd"),
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_content_is_a_configuration_or_a_mistake_that_is_said(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    with contextlib.suppress(ConfigurationError):
        assert isinstance(parse(content, "pod.toml", tmp_path_factory.getbasetemp()), PodConfig)


def test_what_the_operator_says_wins_over_the_file(tmp_path: Path) -> None:
    key = tmp_path / "audit.key"
    key.write_bytes(b"0123456789abcdef\n")
    config = PodConfig(
        "file", audit=AuditConfig(7, "none", key), sockets=SocketsConfig(0o600, 0o711), otlp="http://file"
    )
    file = PodOptions(tmp_path, config=config).settled()
    assert (file.pod_id, file.rotate_bytes, file.fsync) == ("file", 7, "none")
    assert (file.socket_mode, file.directory_mode, file.otlp) == (0o600, 0o711, "http://file")
    assert file.key == b"0123456789abcdef"
    said = PodOptions(
        tmp_path,
        pod_id="said",
        config=config,
        otlp="http://said",
        key=b"k" * 16,
        rotate_bytes=9,
        fsync="always",
        socket_mode=0,
        directory_mode=0o700,
    ).settled()
    assert (said.pod_id, said.rotate_bytes, said.fsync, said.key) == ("said", 9, "always", b"k" * 16)
    assert (said.socket_mode, said.directory_mode, said.otlp) == (0, 0o700, "http://said")


def test_what_nobody_says_is_the_default(tmp_path: Path) -> None:
    made = PodOptions(tmp_path / "team").settled()
    assert (made.pod_id, made.rotate_bytes, made.fsync, made.key) == ("team", 256 << 20, "interval", None)
    assert (made.socket_mode, made.directory_mode, made.otlp) == (0o660, None, None)


def test_a_key_is_not_shown_and_not_too_short(tmp_path: Path) -> None:
    assert "secret" not in repr(PodOptions(tmp_path, key=b"secretsecretsecret"))
    assert "secret" not in repr(PodOptions(tmp_path, key=b"secretsecretsecret").settled())
    (tmp_path / "short").write_bytes(b"secret\n")
    with pytest.raises(ConfigurationError, match="has 6 bytes; expected at least 16"):
        read_key(tmp_path / "short")
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_key(tmp_path / "none")
