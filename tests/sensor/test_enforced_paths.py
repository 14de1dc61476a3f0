from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from aotel.sensor import Policy
from tests.sensor import program
from tests.sensor.program import BLOCKED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sensor.conftest import Watched
    from tests.sensor.receiver import Receiver


def enforced(work: Path, *hosts: str) -> Policy:
    return Policy(hosts, (str(work),), enforce=True)


def test_files_outside_are_blocked_whatever_the_way_to_them(
    watched: Watched, pod: Receiver, work: Path, outside: Path
) -> None:
    secret = outside / "secret.txt"
    (work / "link").symlink_to(outside)
    (work / "file-link").symlink_to(secret)
    (work / "chain").symlink_to("link")
    (work / "sub").mkdir()
    watched(
        BLOCKED
        + f"""
secret = {str(secret)!r}
name = secret.rpartition("/")[2]
class Text(str):
    pass
class PathLike:
    def __fspath__(self):
        return secret
for path in (
    secret, secret.encode(), Text(secret), pathlib.Path(secret), PathLike(),
    "../outside/secret.txt", "sub/../../outside/secret.txt", "./sub/.././../outside//secret.txt",
    "link/secret.txt", "file-link", "chain/secret.txt", "sub/../chain/../outside/secret.txt",
    "/proc/self/cwd/../outside/secret.txt", "/proc/self/root" + secret, "/proc/thread-self/root" + secret,
    os.path.dirname(os.__file__) + "/" + "../" * 40 + secret,
):
    blocked(open, path)
    blocked(open, path, "w")
    blocked(os.open, path, os.O_RDONLY)
    blocked(os.open, path, os.O_RDONLY | os.O_NOFOLLOW)
    blocked(io.FileIO, path)
    blocked(io.open_code, os.fspath(path) if not isinstance(path, bytes) else path.decode())
blocked(pathlib.Path(secret).read_text)
os.chdir("link")
blocked(open, name)
os.chdir({str(work)!r})
""",
        policy=enforced(work),
    )
    assert secret.read_text() == "secret"
    values = {event["value"] for event in pod.of("policy_violation")}
    assert values == {str(secret)}
    assert {event["decision"] for event in pod.of("policy_violation")} == {"blocked"}
    assert not pod.of("file_open", path=str(secret))


def test_paths_relative_to_descriptors_are_blocked(watched: Watched, work: Path, outside: Path) -> None:
    (work / "sub").mkdir()
    (work / "sub" / "way-out").symlink_to(outside)
    (work / "sub" / "leak").symlink_to(outside / "secret.txt")
    watched(
        BLOCKED
        + f"""
sub = os.open("sub", os.O_RDONLY)
os.chdir("/")  # where none of the names exists
for name in ("leak", "way-out/secret.txt", "../../outside/secret.txt"):
    blocked(os.open, name, os.O_RDONLY, dir_fd=sub)
    blocked(os.truncate, f"/proc/self/fd/{{sub}}/{{name}}", 0)
blocked(os.remove, "../../outside/secret.txt", dir_fd=sub)
blocked(os.rename, "leak", "../../outside/x", src_dir_fd=sub, dst_dir_fd=sub)
os.chdir({str(work)!r})
os.close(os.open("new.txt", os.O_RDWR | os.O_CREAT, dir_fd=sub))
os.remove("leak", dir_fd=sub)  # the link itself is inside
""",
        policy=enforced(work),
    )
    assert (outside / "secret.txt").read_text() == "secret"
    assert (work / "sub" / "new.txt").exists()
    assert not (work / "sub" / "leak").is_symlink()


def test_nothing_outside_is_changed_by_other_calls(watched: Watched, pod: Receiver, work: Path, outside: Path) -> None:
    watched(
        BLOCKED
        + f"""
import shutil, sqlite3
secret, outside = {str(outside / "secret.txt")!r}, {str(outside)!r}
open("x.txt", "w").close()
for call in (
    lambda: os.remove(secret),
    lambda: os.rename(secret, "y"),
    lambda: os.rename("x.txt", secret),
    lambda: os.replace("x.txt", secret),
    lambda: os.link(secret, "hard"),
    lambda: os.link("x.txt", outside + "/hard"),
    lambda: os.symlink("x", outside + "/soft"),
    lambda: os.mkdir(outside + "/d"),
    lambda: os.rmdir(outside),
    lambda: os.truncate(secret, 0),
    lambda: os.chmod(secret, 0o777),
    lambda: os.chown(secret, -1, -1),
    lambda: os.utime(secret),
    lambda: shutil.rmtree(outside),
    lambda: shutil.copy("x.txt", secret),
    lambda: shutil.copy(secret, "copy.txt"),
    lambda: shutil.move(secret, "moved"),
    lambda: sqlite3.connect(outside + "/x.db"),
    lambda: sqlite3.connect(f"file:{{outside}}/x.db?mode=ro", uri=True),
    lambda: pathlib.Path(secret).unlink(),
    lambda: os.makedirs(outside + "/a/b"),
):
    blocked(call)
os.symlink(secret, "soft")
blocked(open, "soft")
""",
        policy=enforced(work),
    )
    assert [path.name for path in outside.iterdir()] == ["secret.txt"]
    assert (outside / "secret.txt").read_text() == "secret"
    assert pod.of("policy_violation", kind="path", value=str(outside / "x.db"))


def test_what_is_allowed_and_what_python_needs_goes_on(
    watched: Watched, pod: Receiver, work: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    (library / "package-1.0.dist-info").mkdir(parents=True)
    (library / "package-1.0.dist-info" / "METADATA").write_text("Name: package\nVersion: 1.0\n")
    (library / "package").mkdir()
    (library / "package" / "__init__.py").write_text("value = 7")
    (library / "package" / "data.json").write_text("{}")
    code = tmp_path / "code"
    code.mkdir()
    (code / "module.py").write_text("def fail():\n    raise ValueError('from here')\n")
    watched(
        BLOCKED
        + f"""
import sys
sys.path.insert(0, {str(code)!r})
open("x.txt", "w").close()
open("x.txt").close()
os.mkdir("d"), os.rename("x.txt", "d/x"), os.remove("d/x"), os.rmdir("d")
import importlib.metadata, importlib.resources, linecache, mimetypes, ssl, tempfile, traceback, uuid, xml.dom.minidom
import module, zoneinfo
try:
    module.fail()
except ValueError:
    assert "raise ValueError" in traceback.format_exc()
sys.path.insert(0, {str(library)!r})
import package
assert importlib.metadata.version("package") == "1.0"
open(__file__).close()
zoneinfo.ZoneInfo("Europe/Berlin")
ssl.create_default_context()
mimetypes.guess_type("x.html")
uuid.uuid4()
with open("/dev/null", "w") as null:
    null.write("x")
open("/dev/urandom", "rb").close()
open("/proc/self/status").close()
open("/proc/cpuinfo").close()
open("/dev/stderr", "w").close()
r, w = os.pipe()
open(f"/dev/fd/{{r}}", "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)).close()
os.close(r), os.close(w)
blocked(open, {str(code / "module.py")!r}, "w")
blocked(open, "/proc/1/environ")
blocked(open, {str(code / "data.txt")!r})
""",
        policy=enforced(work),
    )
    values = {event["value"] for event in pod.of("policy_violation")}
    assert values == {str(code / "module.py"), "/proc/1/environ", str(code / "data.txt")}


def test_what_is_installed_beside_python_can_be_read_whole(work: Path, pod: Receiver, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    (overlay / "package-1.0.dist-info").mkdir(parents=True)
    (overlay / "package.json").write_text("{}")
    code = f"open({str(overlay / 'package.json')!r}).close()"
    script = program.write(work, code, pod.path, policy=enforced(work))
    text = script.read_text()
    script.write_text(f"import sys\nsys.path.append({str(overlay)!r})\n{text}")
    program.run(script)
    assert not pod.events


def test_removing_a_tree_that_is_allowed_is_not_mistaken_for_the_working_directory(
    watched: Watched, work: Path, tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    (allowed / "tree" / "sub" / "below").mkdir(parents=True)
    (allowed / "tree" / "sub" / "file.txt").touch()
    watched(
        f"import os, shutil\nos.chdir('/')\nshutil.rmtree({str(allowed / 'tree')!r})",
        policy=Policy((), (str(allowed),), enforce=True),
    )
    assert not (allowed / "tree").exists()


def test_without_enforcement_it_is_told_and_goes_on(watched: Watched, pod: Receiver, work: Path, outside: Path) -> None:
    secret = outside / "secret.txt"
    watched(
        f"""
        import socket
        with tracer.start_as_current_span("operation"):
            for _ in range(3):
                assert open({str(secret)!r}).read() == "secret"
            client = socket.socket()
            client.connect_ex(("127.0.0.1", 1))
            client.close()
        """,
        policy=Policy(("example.com",), (str(work),)),
        spans=True,
    )
    (path,) = pod.of("policy_violation", kind="path")
    assert (path["value"], path["decision"], path["count"]) == (str(secret), "would block", 3)
    assert path["rule"] == f"allow_paths: {work}"
    assert "span_id" in path
    (host,) = pod.of("policy_violation", kind="host")
    assert (host["value"], host["decision"]) == ("127.0.0.1:1", "would block")
    assert pod.of("file_open", path=str(secret))
    assert pod.of("net_connect", host="127.0.0.1")


def test_a_policy_holds_for_what_is_not_watched(watched: Watched, pod: Receiver, work: Path, outside: Path) -> None:
    watched(
        BLOCKED + f"blocked(open, {str(outside / 'secret.txt')!r})\nopen('x', 'w').close()",
        what=("processes",),
        policy=enforced(work),
    )
    assert {event["action"] for event in pod.events} == {"policy_violation"}


def test_forked_and_spawned_children_are_held(watched: Watched, pod: Receiver, work: Path, outside: Path) -> None:
    watched(
        BLOCKED
        + f"""
child = os.fork()
if child == 0:
    blocked(open, {str(outside / "secret.txt")!r})
    os._exit(0 if sensor.flush(5) else 1)
assert os.waitpid(child, 0)[1] == 0
""",
        policy=enforced(work),
    )
    (event,) = pod.of("policy_violation")
    assert event["decision"] == "blocked"


def test_a_used_up_stack_is_no_way_around(watched: Watched, work: Path, outside: Path) -> None:
    watched(
        f"""
        import sys
        read = []
        def deep(left):
            if left:
                return deep(left - 1)
            read.append(open({str(outside / "secret.txt")!r}).read())
        for left in range(sys.getrecursionlimit() - 100, sys.getrecursionlimit() + 1):
            try:
                deep(left)
            except (RecursionError, PermissionError):
                pass
        assert not read
        """,
        policy=enforced(work),
    )


def test_compiled_modules_are_not_worth_a_word(work: Path, pod: Receiver, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "module.py").write_text("value = 7\n")
    text = f"""
        import sys
        sys.dont_write_bytecode = False
        sys.path.insert(0, {str(code)!r})
        import module
        assert module.value == 7
    """
    program.run(program.write(work, text, pod.path, policy=enforced(work)))
    assert not pod.of("policy_violation")
    assert not (code / "__pycache__").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the standard streams are elsewhere")
def test_standard_streams_can_be_opened_again(watched: Watched, work: Path) -> None:
    printed = watched(
        "with open('/dev/stdout', 'w') as out: print('x', file=out)",
        policy=enforced(work),
    )
    assert printed.stdout == "x\n"
