from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sensor.conftest import Watched
    from tests.sensor.receiver import Receiver


def commands(pod: Receiver, via: str) -> list[list[str]]:
    return [event["command"] for event in pod.of("process_start", via=via)]


def test_a_program_is_told_once_however_it_is_started(watched: Watched, pod: Receiver) -> None:
    watched(
        """
        import os, pathlib, subprocess
        with tracer.start_as_current_span("operation"):
            subprocess.run(["true", "a", b"b", pathlib.Path("c")], check=True)
            subprocess.run("true d", shell=True, check=True)
            subprocess.run(["true", "e"], check=True, close_fds=False)
            subprocess.run([pathlib.Path("/bin/true")], check=True)
            os.system("true f")
            os.waitpid(os.posix_spawn("/bin/true", ("true", "g"), {}), 0)
        """,
        spans=True,
    )
    assert commands(pod, "subprocess.Popen") == [
        ["true", "a", "b", "c"],
        ["/bin/sh", "-c", "true d"],
        ["true", "e"],
        ["/bin/true"],
    ]
    assert commands(pod, "os.system") == [["true f"]]
    assert commands(pod, "os.posix_spawn") == [["true", "g"]]
    assert len(pod.events) == 6
    assert all("span_id" in event and "count" not in event for event in pod.events)


def test_a_fork_is_told_by_the_child_and_what_it_becomes_before_it_does(watched: Watched, pod: Receiver) -> None:
    printed = watched(
        """
        import os
        with tracer.start_as_current_span("operation") as span:
            child = os.fork()
            if child == 0:
                try:
                    os.execvp("true", ["true", "x"])
                finally:
                    os._exit(1)
        os.waitpid(child, 0)
        print(os.getpid(), child, format(span.get_span_context().span_id, "016x"))
        """,
        spans=True,
    ).stdout.split()
    (fork,) = pod.of("process_start", via="os.fork")
    (became,) = pod.of("process_start", via="os.exec")
    assert [str(fork["ppid"]), str(fork["pid"]), fork["span_id"]] == [*printed[:2], f"sp_{printed[2]}"]
    assert (str(became["pid"]), became["command"]) == (printed[1], ["true", "x"])
    assert "span_id" in became


def test_a_preexec_function_is_no_fork(watched: Watched, pod: Receiver) -> None:
    watched("""
        import os, subprocess
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        subprocess.run(["true"], check=True, preexec_fn=lambda: sensor.flush(5))
    """)
    assert not pod.of("process_start", via="os.fork")  # the child of `os.fork` ends before it could tell
    assert commands(pod, "subprocess.Popen") == [["true"]]


def test_secrets_on_command_lines_stay_at_home(watched: Watched, pod: Receiver) -> None:
    watched("""
        import os, subprocess
        secret = "hunter2hunter2"
        subprocess.run(["true", "--password", secret, "--user", "ada"], check=True)
        subprocess.run(["true", f"--api-key={secret}"], check=True)
        subprocess.run(["true", f"https://ada:{secret}@example.com/"], check=True)
        os.system(f"PGPASSWORD={secret} true -H 'Authorization: Bearer {secret}'")
    """)
    assert len(pod.events) == 4
    assert "hunter2" not in repr(pod.events)
    assert "ada" in pod.events[0]["command"]


def test_long_command_lines_are_cut(watched: Watched, pod: Receiver) -> None:
    watched("""
        import subprocess
        subprocess.run(["true", "x" * 100_000, *map(str, range(5000))], check=True)
        subprocess.run(["true", *["y" * 200] * 60], check=True)
    """)
    first, second = commands(pod, "subprocess.Popen")
    assert len(first) == 64
    assert len(first[1]) == 256
    assert second[-1] == "…"
    assert sum(map(len, second)) < 2500
