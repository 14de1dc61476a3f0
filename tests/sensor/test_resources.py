from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.sensor.resources import ResourceWatch
from aotel.sensor.totals import Total
from aotel.sensor.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that says "ready" and ends with its standard input, with all that it has started."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)


def wait_for(condition: Callable[[], bool], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


IDLE = "import sys\nprint('ready', flush=True)\nsys.stdin.read()"


def test_a_busy_tree_uses_its_cores_and_an_idle_one_does_not() -> None:
    busy = """
import os, sys
for _ in range(2):
    if os.fork() == 0:
        while True:
            pass
print('ready', flush=True)
sys.stdin.read()
"""
    with running(IDLE) as idle, running(busy) as process:
        quiet, watch = ResourceWatch(idle.pid), ResourceWatch(process.pid)
        time.sleep(0.5)
        sample, other = watch.sample(), quiet.sample()
        assert sample.processes == 3
        assert sample.cpu_percent is not None
        assert 10 < sample.cpu_percent <= 100
        assert sample.cpu_cores is not None
        assert 0 < sample.cpu_cores <= (os.cpu_count() or 1)
        assert other.processes == 1
        assert other.cpu_percent is not None
        assert other.cpu_percent < 10


@LINUX
def test_the_affinity_says_how_many_cores_are_allowed() -> None:
    with running("import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n" + IDLE) as process:
        sample = ResourceWatch(process.pid).sample()
        assert sample.cpu_cores is not None
        assert sample.cpu_cores <= 1


def test_memory_grows_and_what_forked_children_share_counts_once() -> None:
    code = f"""
import os, sys
block = b"x" * {64 << 20}
for _ in range(3):
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
{IDLE}
"""
    with running(IDLE) as small, running(code) as process:
        little, much = ResourceWatch(small.pid).sample(), ResourceWatch(process.pid, memory_limit=1 << 30).sample()
        assert little.memory_bytes is not None
        assert much.memory_bytes is not None
        assert much.processes == 4
        assert little.memory_bytes < 40 << 20
        assert 64 << 20 < much.memory_bytes < (160 << 20 if sys.platform == "linux" else 400 << 20)
        assert much.memory_limit_bytes == 1 << 30
        assert ResourceWatch(process.pid).memory_bytes() == pytest.approx(much.memory_bytes, rel=0.3)


def test_without_a_limit_the_machine_is_it() -> None:
    watch = ResourceWatch(os.getpid())
    assert watch.memory_limit_bytes is not None
    assert 0 < watch.memory_limit_bytes <= psutil.virtual_memory().total


@LINUX
def test_what_short_lived_children_used_is_counted_and_never_lost(tmp_path: Path) -> None:
    code = f"""
import os, subprocess, sys, time
burn = "import time\\nend = time.process_time() + 0.3\\nwhile time.process_time() < end: pass"
write = "import os\\nf = os.open(os.sys.argv[1], os.O_CREAT | os.O_WRONLY)\\nos.write(f, b'x' * 1000000)\\nos.fsync(f)"
print('ready', flush=True)
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", burn], check=True)
    subprocess.run([sys.executable, "-c", write, {str(tmp_path / "file")!r}], check=True)
    print("done", flush=True)
"""
    with running(code) as process:
        watch = ResourceWatch(process.pid, disk_path=tmp_path)
        before = watch._cpu_before
        written: list[int | None] = []
        for _ in range(2):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            sample = watch.sample()
            assert sample.processes == 1
            written.append(sample.disk_write_bytes)
        assert watch._cpu_before - before > 0.55
        assert sample.disk_used_percent is not None
        if written[0]:  # a file system in memory writes to no disk
            assert written[1] is not None
            assert written[1] >= written[0] + 1_000_000 > 1_900_000


def test_counters_do_not_go_back_when_processes_end() -> None:
    code = """
import os, sys
child = os.fork()
if child == 0:
    end = os.times()[0] + 0.4
    while os.times()[0] < end:
        pass
    os.setsid()
    if os.fork():
        os._exit(0)
    sys.stdin.read()
    os._exit(0)
print('ready', flush=True)
os.waitpid(child, 0)
sys.stdin.read()
"""
    with running(code) as process:
        watch = ResourceWatch(process.pid)
        totals = []
        for _ in range(20):
            watch.sample()
            totals.append(watch._cpu_before)
            time.sleep(0.05)
        grandchildren = [each for each in watch._processes() if each.pid != process.pid]
        process.kill()
        process.wait(10)
        sample = watch.sample()
        totals.append(watch._cpu_before)
        assert totals == sorted(totals)
        assert totals[-1] > 0.35
        assert len(grandchildren) == 1
        assert sample.processes == 1  # it has lost its parent, and is still one of the tree
        grandchildren[0].kill()
        wait_for(lambda: watch.sample().processes == 0)


def test_a_tree_that_is_gone_has_nothing_to_tell() -> None:
    with running(IDLE) as process:
        watch = ResourceWatch(process.pid)
    sample = watch.sample()
    assert sample.processes == 0
    assert sample.cpu_percent is None
    assert sample.memory_bytes is None
    assert watch.memory_bytes() is None
    assert ResourceWatch(process.pid).sample().processes == 0
    assert "memory_bytes" not in sample.detail()


def test_processes_that_vanish_in_the_middle_do_no_harm() -> None:
    code = """
import subprocess, sys, threading
def spawn():
    while True:
        subprocess.run(["true"], check=True)
for _ in range(3):
    threading.Thread(target=spawn, daemon=True).start()
print('ready', flush=True)
sys.stdin.read()
"""
    with running(code) as process:
        watch = ResourceWatch(process.pid)
        last = 0.0
        for _ in range(60):
            sample = watch.sample()
            assert sample.processes is not None
            assert sample.processes >= 1
            assert sample.memory_bytes
            assert (sample.disk_read_bytes or 0) >= 0
            assert watch._cpu_before >= last
            last = watch._cpu_before


def test_who_knows_the_processes_better_is_asked() -> None:
    with running(IDLE) as one, running(IDLE) as two:
        processes = [psutil.Process(one.pid), psutil.Process(two.pid)]
        watch = ResourceWatch(os.getpid(), processes=lambda: processes)
        assert watch.sample().processes == 2
        found: list[int | None] = []
        thread = threading.Thread(target=lambda: found.append(watch.sample().processes))
        thread.start()
        thread.join()
        assert found == [2]


def test_one_who_can_not_tell_is_no_reason_to_fail() -> None:
    def fail() -> list[psutil.Process]:
        raise psutil.AccessDenied(1)

    with running(IDLE) as process:
        watch = ResourceWatch(process.pid)
        watch._processes = fail
        assert watch.sample().detail() == {}
        assert watch.memory_bytes() is None


def test_a_detail_has_no_zeros_for_what_is_missing() -> None:
    with running(IDLE) as process:
        detail = ResourceWatch(process.pid).sample().detail()
        assert detail["processes"] == 1
        assert "net_sent_bytes" not in detail  # the namespace is that of everybody
        assert "disk_used_percent" not in detail


def can_unshare() -> bool:
    try:
        return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_unshare(), reason="no network namespaces for us here")
def test_a_tree_with_a_network_of_its_own_is_counted() -> None:
    process = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-c", IDLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        sample = ResourceWatch(process.pid).sample()
        assert (sample.net_sent_bytes, sample.net_received_bytes) == (0, 0)
        assert Traffic([process.pid]).read([process.pid, os.getpid()]) is None
    finally:
        process.communicate(timeout=10)


def test_bytes_are_counted_per_namespace_and_stay_when_it_ends(tmp_path: Path) -> None:
    head = (
        "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n"
    )

    def process(pid: str, namespace: str, received: int, sent: int) -> None:
        (tmp_path / pid / "ns").mkdir(parents=True, exist_ok=True)
        (tmp_path / pid / "net").mkdir(exist_ok=True)
        (tmp_path / pid / "ns" / "net").unlink(missing_ok=True)
        (tmp_path / pid / "ns" / "net").symlink_to(f"net:[{namespace}]")
        lines = f"    lo: 999 9 0 0 0 0 0 0 999 9\n  eth0: {received} 1 0 0 0 0 0 0 {sent} 1\n"
        (tmp_path / pid / "net" / "dev").write_text(head + lines)

    process("self", "1", 0, 0)
    process("10", "2", 100, 50)
    traffic = Traffic([10], proc=tmp_path)
    assert traffic.read([10]) == (0, 0)
    process("10", "2", 300, 70)
    process("11", "3", 5, 6)
    assert traffic.read([10, 11]) == (26, 205)
    assert traffic.read([10]) == (26, 205)
    assert traffic.read([]) == (26, 205)
    process("12", "1", 5, 6)
    assert traffic.read([10, 12]) is None
    assert Traffic([99], proc=tmp_path).read([99]) is None
    (tmp_path / "11" / "net" / "dev").write_text("x")
    assert Traffic([11], proc=tmp_path).read([11]) is not None


@given(
    st.lists(
        st.dictionaries(
            st.tuples(st.integers(1, 5), st.just(1.0)),
            st.none() | st.floats(0, 100),
            max_size=5,
        )
    )
)
def test_a_total_never_goes_back(rounds: list[dict[tuple[int, float], float | None]]) -> None:
    total = Total()
    found = [total.update(counted, {key: (key[0] - 1, 1.0) for key in counted}) for counted in rounds]
    assert found == sorted(found)


def test_a_total_counts_what_went_over_to_the_parent_once() -> None:
    total = Total()
    parent, child, orphan = (1, 0.0), (2, 0.0), (3, 0.0)
    parents = {parent: None, child: parent, orphan: None}
    assert total.update({parent: 1, child: 5, orphan: 2}, parents) == 8
    assert total.update({parent: 6, orphan: 2}, parents) == 8  # the parent has taken leave of the child
    assert total.update({parent: 6}, parents) == 8  # nobody here has taken over the orphan's
    assert total.update({parent: 9}, parents) == 11
    assert total.update({}, parents) == 11
