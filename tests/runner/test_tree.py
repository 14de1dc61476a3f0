"""The tree of processes: orphans are in it, strangers are not, and nobody who is killed has a child that lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from aotel.runner.child import Child
from aotel.runner.tree import Tree
from aotel.sensor.resources import ResourceWatch
from tests.runner.running import is_alive, until


@pytest.mark.skipif(sys.platform != "linux", reason="orphans come back on Linux alone")
def test_orphans_are_in_the_tree_and_children_from_before_are_not() -> None:
    with subprocess.Popen(["sleep", "20"]) as stranger:
        tree = Tree()
        try:
            child = Child.start("/bin/sh", ["sh", "-c", "(setsid sleep 20 &) ; exit 0"], os.environ)
            until(child.poll, "the child has ended")
            (orphan,) = tree.processes()
            assert orphan.name() in {"sleep", "setsid"}
            assert tree.includes(orphan.pid)
            assert not tree.includes(stranger.pid)
            assert tree.kill()
            assert not is_alive(orphan.pid)
            assert stranger.poll() is None
            tree.reap(but=child.pid)
            assert not psutil.pid_exists(orphan.pid)
        finally:
            tree.kill()
            tree.close()
            stranger.kill()


def test_tree_that_keeps_forking_is_killed() -> None:
    tree = Tree()
    try:
        # Each leaves a child behind and ends: nobody can catch them one by one. After 300 of them it ends.
        script = (
            "trap '' TERM; f() { [ $1 -lt 300 ] || exit; sleep 0.03; f $(($1 + 1)) & }; "
            "for n in 1 2 3 4; do f 0 & done; sleep 20"
        )
        child = Child.start("/bin/sh", ["sh", "-c", script], os.environ)
        until(lambda: len(tree.processes()) > 4, "it has forked")
        assert tree.kill()
        until(child.poll, "the child has ended")
        tree.reap(but=child.pid)
        time.sleep(0.2)
        assert tree.processes() == []
    finally:
        tree.kill()
        tree.close()


def test_shared_memory_counts_once() -> None:
    code = (
        "import os, time\nblock = bytearray(os.urandom(1 << 20)) * 120\n"
        "for _ in range(3):\n    if os.fork() == 0: break\n"
        "time.sleep(20)"
    )
    tree = Tree()
    try:
        child = Child.start(sys.executable, [sys.executable, "-I", "-S", "-c", code], os.environ)
        until(lambda: len(tree.processes()) == 4, "it has forked")
        until(lambda: sum(each.memory_info().rss for each in tree.processes()) > 400 << 20, "it has its memory")
        watch = ResourceWatch(child.pid, processes=tree.processes)
        assert watch.memory_over(300 << 20) is None
        used = watch.memory_over(100 << 20)
        assert used is not None
        assert used < 300 << 20
    finally:
        tree.kill()
        tree.reap(but=0)
        tree.close()
