from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.sensor import program
from tests.sensor.receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sensor.conftest import Watched


def test_parent_and_forked_child_each_tell_their_own(watched: Watched, pod: Receiver, work: Path) -> None:
    printed = watched("""
        import os, sys
        open("before.txt", "w").close()
        sensor.flush(5)
        open("waiting.txt", "w").close()
        child = os.fork()
        open("both.txt", "w").close()
        if child:
            os.waitpid(child, 0)
            print(os.getpid(), child)
    """).stdout.split()
    both = pod.of("file_open", path=str(work / "both.txt"))
    assert sorted(str(event["pid"]) for event in both) == sorted(printed)
    for name in ("before.txt", "waiting.txt"):
        assert [str(event["pid"]) for event in pod.of("file_open", path=str(work / name))] == printed[:1]


def test_a_fork_while_events_are_on_their_way_hangs_nobody(watched: Watched, pod: Receiver) -> None:
    watched("""
        import os, threading
        going = True
        def work(number):
            while going:
                open(f"{number}.txt", "a").close()
        threads = [threading.Thread(target=work, args=(each,)) for each in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for number in range(30):
            child = os.fork()
            if child == 0:
                open(f"child-{number}.txt", "w").close()
                os._exit(0 if sensor.flush(10) else 1)
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        going = False
        for thread in threads:
            thread.join()
        assert statuses == [0] * 30, statuses
    """)
    told = {event["path"] for event in pod.of("file_open") if "child-" in event["path"]}
    assert len(told) == 30


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_tell_all_before_they_end(pod: Receiver, work: Path, method: str) -> None:
    start = f"from aotel import sensor\nsensor.start({program.ALL!r}, {pod.path!r})\n"
    (work / "job.py").write_text(start + "def run(name):\n    open(name, 'w').close()\n")
    script = work / "program.py"
    script.write_text(
        f"""
import multiprocessing
import job
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    process = context.Process(target=job.run, args=("child.txt",))
    process.start()
    process.join()
    assert process.exitcode == 0
    print(process.pid)
"""
    )
    child = program.run(script).stdout.strip()
    (event,) = pod.of("file_open", path=str(work / "child.txt"))
    assert str(event["pid"]) == child


@pytest.mark.parametrize(
    "end", ["pass", "import sys; sys.exit(0)", "import threading; threading.Thread(target=late).start()"]
)
def test_what_happened_last_is_told_at_the_end(watched: Watched, pod: Receiver, work: Path, end: str) -> None:
    watched(f"""
        import time
        def late():
            time.sleep(0.1)
            open("late.txt", "w").close()
        late()
        {end}
    """)
    (event,) = pod.of("file_open", path=str(work / "late.txt"))
    assert event["count"] == (2 if "Thread" in end else 1)


def test_finalizers_at_the_very_end_still_open_their_files(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import atexit, io
        class Last:
            def __init__(self, name, opened=open):
                self.name, self.opened = name, opened
            def __del__(self):
                self.opened(self.name, "w").close()
        atexit.register(lambda: open("atexit.txt", "w").close())
        keep = Last("del.txt")
        keep.itself = keep
        io.keep = Last("module.txt")
    """)
    assert (work / "del.txt").exists()
    assert (work / "module.txt").exists()
    assert pod.of("file_open", path=str(work / "atexit.txt"))


@pytest.mark.parametrize("replies", [None, ["silence"] * 9])
def test_a_pod_that_is_away_or_silent_delays_the_end_by_a_second_at_most(work: Path, replies: list[str] | None) -> None:
    with Receiver(replies or (), listening=replies is not None) as pod:
        code = """
            import time
            open("x.txt", "w").close()
            begin = time.monotonic()
            sensor._current.watch._finish()
            assert time.monotonic() - begin < 1.5
        """
        begin = time.monotonic()
        program.run(program.write(work, code, pod.path))
        assert time.monotonic() - begin < 20


def test_stop_tells_the_rest_and_nothing_after(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        open("a.txt", "w").close()
        sensor.stop()
        sensor.stop()
        open("b.txt", "w").close()
        sensor.start(("files",), "nowhere.sock")
        sensor.stop()
    """)
    assert [event["path"] for event in pod.of("file_open")] == [str(work / "a.txt")]


def test_starting_again_with_the_same_changes_nothing(watched: Watched, pod: Receiver, work: Path) -> None:
    watched(f"""
        import sys
        assert "aotel.sensor.resources" not in sys.modules  # it needs an extra, which an agent needn't have
        former = sensor._current.watch
        sensor.start(["processes", "network", "files"], {pod.path!r})
        assert sensor._current.watch is former
        sensor.start(["files"], {pod.path!r})
        open("x.txt", "w").close()
        import subprocess
        subprocess.run(["true"], check=True)
    """)
    (event,) = pod.events
    assert (event["action"], event["count"]) == ("file_open", 1)
