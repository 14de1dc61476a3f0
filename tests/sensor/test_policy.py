from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.errors import AotelError, ConfigurationError
from aotel.sensor import BlockedError, Policy, policy, start
from aotel.sensor.host_rules import HostRules
from aotel.sensor.path_rules import PathRules

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        (
            "api.example.com",
            ["api.example.com", "API.Example.COM", "api.example.com."],
            ["example.com", "x.api.example.com"],
        ),
        (
            "*.example.com",
            ["a.example.com", "a.b.example.com"],
            ["example.com", "badexample.com", "a.example.com.evil.org"],
        ),
        ("*", ["example.com", "10.0.0.1", "::1"], []),
        ("localhost", ["localhost"], ["127.0.0.1", "localhost.evil.org"]),
        ("10.0.0.0/8", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.1", "10.evil.org", "::1", "0x0a.0.0.1", "167772161"]),
        ("192.168.1.7", ["192.168.1.7"], ["192.168.1.8"]),
        ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]),
        ("fe80::/10", ["fe80::1%eth0"], ["2001:db8::1"]),
        ("::ffff:10.0.0.0/104", ["10.0.0.9"], ["11.0.0.9"]),
        ("münchen.example", ["MÜNCHEN.example", "xn--mnchen-3ya.example"], ["munchen.example"]),
        ("my_service", ["my_service"], ["my-service"]),
    ],
)
def test_hosts(entry: str, allowed: list[str], refused: list[str]) -> None:
    rules = HostRules([entry])
    for host in allowed:
        assert rules.allow(host, 443), host
    for host in refused:
        assert not rules.allow(host, 443), host


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("a.example:8080", "a.example"),
        ("10.0.0.0/8:8080", "10.1.1.1"),
        ("[::1]:8080", "::1"),
        ("*:8080", "any.example"),
    ],
)
def test_hosts_with_a_port(entry: str, host: str) -> None:
    rules = HostRules([entry])
    assert rules.allow(host, 8080)
    assert not rules.allow(host, 80)
    assert not rules.allow(host, -1)
    assert rules.allow(host, None)


def test_an_address_is_allowed_by_the_names_that_led_there() -> None:
    rules = HostRules(["api.example.com:443"])
    assert rules.allow("10.0.0.1", 443, ("other.example", "API.example.com"))
    assert not rules.allow("10.0.0.1", 80, ("api.example.com",))
    assert not rules.allow("10.0.0.1", 443, ("other.example",))
    assert not rules.allow("10.0.0.1", 443)


@pytest.mark.parametrize(
    "entry", ["", " ", "http://example.com", "example.com/path", "a b", "*.*.com", "x:0", "x:65536", "*."]
)
def test_what_is_no_host_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="no host to allow"):
        HostRules([entry])


@given(st.text())
def test_any_host_can_be_judged(host: str) -> None:
    assert (
        not HostRules(["a.example", "10.0.0.0/8", "::/128"]).allow(host, 1)
        or "a.example" in host.lower()
        or "10." in host
    )


@given(st.text())
def test_any_entry_is_a_host_or_an_error(entry: str) -> None:
    try:
        rules = HostRules([entry])
    except ConfigurationError:
        return
    rules.allow("example.com", 1)


def real(path: Path) -> str:
    return str(path.resolve())


def test_a_path_allows_what_is_below_it_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    rules = PathRules([str(tmp_path / "data")])
    assert rules.allow(real(tmp_path / "data"))
    assert rules.allow(real(tmp_path / "data" / "x" / "y"))
    assert not rules.allow(real(tmp_path / "database"))
    assert not rules.allow(real(tmp_path))
    assert PathRules(["/"]).allow("/anything")


def test_links_in_what_is_listed_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    rules = PathRules([str(tmp_path / "link"), str(tmp_path / "link" / "*.txt")])
    assert rules.allow(real(tmp_path / "real" / "x"))
    assert not rules.allow(str(tmp_path.resolve() / "link" / "x"))


@pytest.mark.parametrize(
    ("pattern", "allowed", "refused"),
    [
        ("*.csv", ["a.csv", "a.csv/below"], ["a.csvx", "x/a.csv", ".csv.d"]),
        ("x?.txt", ["x1.txt"], ["x.txt", "x/.txt", "x12.txt"]),
        ("[ab]1", ["a1", "b1"], ["c1", "/1"]),
        ("[!ab]1", ["c1"], ["a1"]),
        ("[]a^]1", ["]1", "a1", "^1"], ["b1"]),
        ("[0-9]", ["5"], ["a"]),
        ("**/x.txt", ["x.txt", "a/b/x.txt"], ["ax.txt"]),
        ("*/out", ["a/out", "a/out/b/c"], ["out", "a/b/out"]),
        ("a+b(1).*", ["a+b(1).x"], ["aab1.x"]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, allowed: list[str], refused: list[str]) -> None:
    root = tmp_path.resolve()
    rules = PathRules([f"{tmp_path}/{pattern}"])
    assert [name for name in allowed if not rules.allow(f"{root}/{name}")] == []
    assert [name for name in refused if rules.allow(f"{root}/{name}")] == []


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "[a]").touch()
    rules = PathRules([f"{tmp_path}/[a]"])
    assert rules.allow(f"{tmp_path.resolve()}/[a]")
    assert not rules.allow(f"{tmp_path.resolve()}/a")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), st.text())
def test_any_pattern_can_be_asked_about_any_path(pattern: str, path: str) -> None:
    PathRules([f"/nowhere/{pattern}"]).allow(f"/nowhere/{path}")


def test_a_policy_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    made = Policy(("a.example:443",), ("data", "~/x", "/tmp/../etc"), enforce=True)
    assert made.allow_paths == (f"{tmp_path}/data", "/home/ada/x", "/tmp/../etc")
    monkeypatch.chdir("/")
    assert policy.parse(made.json()) == made
    assert policy.parse("{}") == policy.parse('{"allow_hosts": null, "allow_paths": []}') == Policy()
    assert Policy().hosts() is None
    assert Policy().paths() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"enforce": "yes"}',
        '{"allow_host": []}',
        '{"allow_hosts": "x"}',
        '{"allow_hosts": [1]}',
        '{"allow_hosts": ["http://x"]}',
        '{"allow_paths": [""]}',
        '{"allow_paths": ["\\u0000"]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_policy_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(ConfigurationError):
        policy.parse(text)


def test_lists_are_checked_in_code_too() -> None:
    with pytest.raises(ConfigurationError, match="allow_hosts is a list"):
        Policy("example.com")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="allow_paths is a list"):
        Policy((), (1,))  # type: ignore[arg-type]


def test_unknown_things_to_watch_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="files, network, processes"):
        start(["files", "keyboard"], "/nowhere.sock")
    with pytest.raises(ConfigurationError, match="'files'"):
        start("files", "/nowhere.sock")


def test_the_error_is_a_refusal_as_the_system_has_it() -> None:
    error = BlockedError("why")
    assert isinstance(error, PermissionError)
    assert isinstance(error, AotelError)
    assert (error.errno, error.strerror) == (13, "why")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (BlockedError, str(error))
