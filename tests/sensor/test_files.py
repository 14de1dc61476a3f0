from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sensor.conftest import Watched
    from tests.sensor.receiver import Receiver

ODD = b"odd-\xff\xfe.txt"


def paths(pod: Receiver, mode: str) -> set[str]:
    return {event["path"] for event in pod.of("file_open", mode=mode)}


WAYS = {
    "open(path).close()": "read",
    "open(path, 'rb').close()": "read",
    "open(path, 'w').close()": "write",
    "open(path, 'x').close()": "write",
    "open(path, 'a').close()": "write",
    "open(path, 'r+b').close()": "write",
    "open(path.encode()).close()": "read",
    "os.close(os.open(path, os.O_RDONLY))": "read",
    "os.close(os.open(path, os.O_RDWR))": "write",
    "os.close(os.open(path.encode(), os.O_WRONLY | os.O_APPEND))": "write",
    "pathlib.Path(path).read_text()": "read",
    "pathlib.Path(path).write_text('x')": "write",
    "pathlib.Path(path).touch()": "write",
    "io.FileIO(pathlib.Path(path)).close()": "read",
    "io.open_code(path).close()": "read",
}


def test_an_open_file_is_told_with_its_mode(watched: Watched, pod: Receiver, work: Path) -> None:
    new = ("'x'", "touch")
    files = {str(work / f"{number}.txt"): way for number, way in enumerate(WAYS)}
    for path, way in files.items():
        if not any(word in way for word in new):
            (work / path).touch()
    lines = "".join(f"path = {path!r}\n{way}\n" for path, way in files.items())
    watched(f"import io, os, pathlib\n{lines}")
    for path, way in files.items():
        (event,) = pod.of("file_open", path=path)
        assert (event["mode"], event["count"]) == (WAYS[way], 1), way
        assert event["ts"].endswith("Z")
        assert "span_id" not in event


def test_a_path_is_told_from_the_root_on_wherever_the_program_goes_later(
    watched: Watched, pod: Receiver, work: Path
) -> None:
    (work / "a").mkdir()
    (work / "b.txt").touch()
    watched("""
        import os
        open("b.txt").close()
        os.chdir("a")
        open("../b.txt").close()
        open("./c.txt", "w").close()
        os.rmdir(os.getcwd()) if os.remove("c.txt") else None
        os.chdir("/")
    """)
    assert pod.of("file_open", path=str(work / "b.txt"))[0]["count"] == 2
    assert str(work / "a" / "c.txt") in paths(pod, "write")


def test_repeats_are_folded_within_a_span(watched: Watched, pod: Receiver, work: Path) -> None:
    watched(
        """
        def read():
            for _ in range(50):
                open("x.txt").close()

        open("x.txt", "w").close()
        sensor.flush(5)
        with tracer.start_as_current_span("one") as one:
            read()
        with tracer.start_as_current_span("two"):
            read()
        sensor.flush(5)
        read()
        print(format(one.get_span_context().span_id, "016x"))
        """,
        spans=True,
    )
    events = pod.of("file_open", path=str(work / "x.txt"), mode="read")
    assert [event["count"] for event in events] == [50, 50, 50]
    assert len({event.get("span_id") for event in events}) == 3


def test_events_of_a_span_carry_its_ids(watched: Watched, pod: Receiver, work: Path) -> None:
    printed = watched(
        """
        with tracer.start_as_current_span("operation") as span:
            open("x.txt", "w").close()
        context = span.get_span_context()
        print(f"tr_{context.trace_id:032x} sp_{context.span_id:016x}")
        """,
        spans=True,
    ).stdout.split()
    (event,) = pod.of("file_open", path=str(work / "x.txt"))
    assert [event["trace_id"], event["span_id"]] == printed


def test_what_python_reads_for_itself_is_not_told(watched: Watched, pod: Receiver, work: Path) -> None:
    (work / "__pycache__").mkdir()
    (work / "__pycache__" / "x.pyc").touch()
    watched("""
        import importlib.metadata, json.tool, msgspec, sqlite3.dump, sysconfig, site
        importlib.metadata.version("msgspec")
        open(json.__file__).close()
        open(msgspec.__file__).close()
        open("/proc/self/status").close()
        open("/proc/self/../self/status").close()
        open("/dev/null", "w").close()
        open("__pycache__/x.pyc").close()
        open("marker.txt", "w").close()
    """)
    assert paths(pod, "write") == {str(work / "marker.txt")}
    assert not paths(pod, "read")


def test_no_detour_hides_a_file(watched: Watched, pod: Receiver, work: Path) -> None:
    path = work / "hidden.txt"
    path.touch()
    watched(f"""
        import json, os
        path = {str(path)!r}
        open("/proc/../" + path).close()
        open("/proc/self/root/" + path).close()
        open("/proc/self/cwd/hidden.txt").close()
        open(os.path.dirname(json.__file__) + "/../" * 30 + path).close()
        fd = os.open("hidden.txt", os.O_RDONLY)
        open(f"/proc/self/fd/{{fd}}").close()
        os.close(fd)
    """)
    assert paths(pod, "read") == {str(path)}
    assert sum(event["count"] for event in pod.of("file_open")) == 6


def test_a_descriptor_is_no_file(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import os
        r, w = os.pipe()
        open(w, "w").close()
        open(r).close()
        os.close(os.dup(1))
    """)
    assert not pod.events


def test_changes_are_told_with_what_made_them(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import os, pathlib
        os.mkdir("d")
        open("d/a", "w").close()
        os.rename("d/a", b"d/b")
        os.symlink("b", "d/link")
        os.link("d/b", "d/c")
        os.truncate("d/c", 0)
        os.chmod("d/c", 0o600)
        pathlib.Path("d/c").unlink()
        os.remove("d/link")
        os.remove("d/b")
        os.rmdir("d")
    """)
    told = {(event.get("via"), event["path"]) for event in pod.of("file_open", mode="write")}
    assert told == {
        (via, str(work / name))
        for via, name in [
            ("os.mkdir", "d"),
            (None, "d/a"),
            ("os.rename", "d/a"),
            ("os.rename", "d/b"),
            ("os.symlink", "d/link"),
            ("os.link", "d/c"),
            ("os.truncate", "d/c"),
            ("os.remove", "d/c"),
            ("os.remove", "d/link"),
            ("os.remove", "d/b"),
            ("os.rmdir", "d"),
        ]
    }


def test_paths_relative_to_a_descriptor_are_found(watched: Watched, pod: Receiver, work: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "sub").mkdir(parents=True)
    (elsewhere / "sub" / "x").touch()
    watched(f"import shutil\nshutil.rmtree({str(elsewhere)!r})")
    assert not elsewhere.exists()
    assert paths(pod, "write") == {str(elsewhere), str(elsewhere / "sub"), str(elsewhere / "sub" / "x")}
    assert paths(pod, "read") == {str(elsewhere), str(elsewhere / "sub")}


def test_temporary_files_are_told_once(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import tempfile
        with tempfile.NamedTemporaryFile(dir=".") as file:
            print(file.name)
    """)
    (name,) = {event["path"] for event in pod.of("file_open")}
    assert name.startswith(str(work / "tmp"))


def test_databases_are_files(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import pathlib, sqlite3
        for name in (":memory:", "", "one.db", b"two.db", pathlib.Path("three.db")):
            sqlite3.connect(name).close()
        for name in ("file:four.db?mode=rwc", "file:one.db?mode=ro", "file:x?mode=memory", "file::memory:"):
            sqlite3.connect(name, uri=True).close()
    """)
    assert paths(pod, "write") == {str(work / f"{name}.db") for name in ("one", "two", "three", "four")}
    assert paths(pod, "read") == {str(work / "one.db")}
    assert {event["via"] for event in pod.of("file_open")} == {"sqlite3.connect"}


def test_names_that_are_no_text_arrive_as_far_as_json_can_say_them(watched: Watched, pod: Receiver, work: Path) -> None:
    (work / os.fsdecode(ODD)).touch()
    watched(f"open({ODD!r}).close()\nopen({os.fsdecode(ODD)!r}).close()\nopen('é.txt', 'w').close()")
    events = pod.of("file_open")
    assert {event["path"].removeprefix(str(work)).replace("?", "\ufffd") for event in events} >= {"/é.txt"}
    assert sum(event["count"] for event in events) == 3


def test_secrets_in_paths_stay_at_home(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        open("sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD", "w").close()
        open("password=hunter2hunter2.txt", "w").close()
    """)
    assert len(pod.events) == 2
    assert "hunter2" not in repr(pod.events)
    assert "abcdefghijk" not in repr(pod.events)


def test_reading_beside_the_socket_is_ours_and_writing_there_is_told(
    watched: Watched, pod: Receiver, work: Path
) -> None:
    watched(f"""
        import os
        run = os.path.dirname({pod.path!r})
        open(run + "/audit.jsonl", "w").close()
        open(run + "/audit.jsonl").close()
    """)
    (event,) = pod.events
    assert event["mode"] == "write"
    assert event["path"].endswith("/audit.jsonl")


def test_only_what_was_asked_for_is_told(watched: Watched, pod: Receiver) -> None:
    watched(
        """
        import socket, subprocess
        open("x.txt", "w").close()
        subprocess.run(["true"], check=True)
        """,
        what=("processes",),
    )
    assert {event["action"] for event in pod.events} == {"process_start"}
