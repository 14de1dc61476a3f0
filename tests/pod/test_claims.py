"""Who acts as which agent: claims and lineages by themselves, with the processes that there are."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.pod.claims import Claims, RefusedClaimError
from aotel.pod.config import AgentConfig
from aotel.pod.lineages import Lineages
from aotel.pod.peers import Peer
from aotel.pod.processes import Look, Process, look, look_at_all
from tests.pod.pod_process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="claims need to know processes")

UID = 1000
REVIEWER = AgentConfig("reviewer", "review", ("read",), max_ttl_secs=7200)
DEPLOYER = AgentConfig("deployer", uids=(7, 8))
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def claims(clock: Clock) -> Claims:
    return Claims([REVIEWER, DEPLOYER], uid=UID, clock=clock)


def process(pid: int) -> Process:
    seen = look(pid)
    assert seen is not None
    return seen.process


def me() -> Peer:
    return Peer(os.getpid(), UID, process(os.getpid()))


@contextlib.contextmanager
def sleeper(*, child: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A process that prints its pid, or, with `child`, that of one that it has started."""
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    started = subprocess.Popen(
        [sys.executable, "-c", outer if child else inner], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


def printed(started: subprocess.Popen[str]) -> int:
    assert started.stdout is not None
    return int(started.stdout.readline())


def test_a_process_is_known_by_its_pid_and_its_start() -> None:
    mine = look(os.getpid())
    assert mine is not None
    assert mine.process.pid == os.getpid()
    assert mine.parent == os.getppid()
    assert look(os.getpid()) == mine
    assert mine in look_at_all()
    assert look(0) is None
    assert look(-1) is None
    assert look(2**22 + 5) is None


def test_a_name_with_brackets_and_spaces_is_no_trouble(tmp_path: Path) -> None:
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "60"]) as started:
        wait_until(lambda: b"a) R 1 (b" in Path(f"/proc/{started.pid}/stat").read_bytes())
        seen = look(started.pid)
        started.kill()
    assert seen is not None
    assert seen.parent == os.getpid()


def test_a_claim_covers_who_made_it_and_its_descendants(claims: Claims) -> None:
    made = claims.claim(me(), "reviewer")
    with sleeper(child=True) as started:
        grandchild = process(printed(started))
        assert [each.pid for each in claims.lineages.of(grandchild)][:3] == [grandchild.pid, started.pid, os.getpid()]
        for each in (process(os.getpid()), process(started.pid), grandchild):
            assert claims.covering(claims.lineages.of(each)) is made
    assert claims.covering(claims.lineages.of(process(os.getppid()))) is None


def test_the_nearest_claim_counts(claims: Claims) -> None:
    outer = claims.claim(me(), "reviewer")
    with sleeper(child=True) as started:
        lineage = claims.lineages.of(process(printed(started)))
        inner = claims.grant(DEPLOYER, process(started.pid), UID)
        assert claims.covering(lineage) is inner
        later = claims.grant(REVIEWER, process(started.pid), UID)
        assert claims.covering(lineage) is later
        claims.drop(later)
        assert claims.covering(lineage) is inner
        claims.drop(inner)
        assert claims.covering(lineage) is outer


def test_who_was_seen_before_it_was_orphaned_stays_covered(claims: Claims) -> None:
    made = claims.claim(me(), "reviewer")
    with sleeper(child=True) as started:
        grandchild = process(printed(started))
        claims.saw(look_at_all())
        started.kill()
        started.wait()
        wait_until(lambda: (look(grandchild.pid) or Look(grandchild, 0)).parent != started.pid)
        for _ in range(3):  # however often the dead are missing
            claims.saw(look_at_all())
        assert claims.covering(claims.lineages.of(grandchild)) is made


def test_who_was_orphaned_before_it_was_seen_is_nobody_s(claims: Claims) -> None:
    claims.claim(me(), "reviewer")
    with sleeper(child=True) as started:
        grandchild = process(printed(started))
        started.kill()
        started.wait()
        wait_until(lambda: (look(grandchild.pid) or Look(grandchild, 0)).parent != started.pid)
        assert claims.covering(claims.lineages.of(grandchild)) is None


def test_a_later_process_of_the_same_pid_has_no_part_in_a_claim(claims: Claims) -> None:
    claims.claim(me(), "reviewer")
    mine = process(os.getpid())
    later = Process(mine.pid, mine.started + 1)
    assert claims.covering(claims.lineages.of(later)) is None
    # Nor has a child that was there before the process that now has its parent's pid.
    lineages = Lineages()
    parent, child = Process(10, 500), Process(11, 400)
    lineages.learn([Look(parent, 1), Look(child, 10)])
    assert lineages.of(child) == (child,)


@pytest.mark.skipif(not os.access(_LAST_PID, os.W_OK), reason="only root can have a pid given out again")
def test_a_pid_that_is_given_out_again_inherits_nothing(claims: Claims) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as first:
        claims.claim(Peer(first.pid, UID, process(first.pid)), "reviewer")
        first.kill()
    time.sleep(0.05)  # starts are told apart by hundredths of a second
    for _ in range(200):
        _LAST_PID.write_text(str(first.pid - 1))
        with subprocess.Popen(["/bin/sleep", "60"]) as second:
            found = process(second.pid)
            second.kill()
        if second.pid == first.pid:
            break
    else:
        pytest.skip("somebody else was faster each time")
    assert claims.covering(claims.lineages.of(found)) is None
    assert not claims.touches(claims.lineages.of(found))


def test_a_claim_ends_with_its_time(claims: Claims, clock: Clock) -> None:
    first = claims.claim(me(), "reviewer", 10)
    second = claims.claim(me(), "reviewer", 20)
    lineage = claims.lineages.of(process(os.getpid()))
    assert claims.next_end == 1010
    clock.now = 1009.9
    assert not claims.is_due
    assert claims.expire() == []
    before = claims.generation
    clock.now = 1010
    assert claims.is_due
    assert claims.expire() == [first]
    assert claims.generation != before
    assert claims.covering(lineage) is second
    clock.now = 1030
    assert claims.expire() == [second]
    assert claims.covering(lineage) is None
    assert claims.next_end == math.inf
    assert not claims.is_due


def test_when_it_ends_is_said_in_utc(claims: Claims) -> None:
    assert claims.claim(me(), "reviewer", 60).expires_at.endswith("Z")
    assert claims.grant(REVIEWER, process(os.getpid()), UID).expires_at == ""


def test_without_a_time_it_is_an_hour_or_less(clock: Clock) -> None:
    short = AgentConfig("short", max_ttl_secs=60)
    claims = Claims([short, REVIEWER], uid=UID, clock=clock)
    assert claims.claim(me(), "short").ends == 1060
    assert claims.claim(me(), "reviewer").ends == 1000 + 3600


@pytest.mark.parametrize("ttl", [0, -1, 7200.1, 1e300, math.inf, math.nan])
def test_a_time_that_is_none_or_too_long_is_refused(claims: Claims, ttl: float) -> None:
    with pytest.raises(RefusedClaimError, match="above 0 and up to 7200"):
        claims.claim(me(), "reviewer", ttl)
    assert len(claims) == 0


def test_who_may_not_claim_is_refused(claims: Claims) -> None:
    known = process(os.getpid())
    with pytest.raises(RefusedClaimError, match=r"no agent 'boss' in pod.toml; there are: deployer, reviewer"):
        claims.claim(me(), "boss")
    with pytest.raises(RefusedClaimError, match="user 1001 may not claim 'reviewer'"):
        claims.claim(Peer(known.pid, 1001, known), "reviewer")
    with pytest.raises(RefusedClaimError, match="user 1000 may not claim 'deployer'"):
        claims.claim(me(), "deployer")
    with pytest.raises(RefusedClaimError, match="can't be identified"):
        claims.claim(Peer(0, UID, None), "reviewer")
    assert claims.claim(Peer(known.pid, 8, known), "deployer").agent is DEPLOYER


def test_only_the_process_that_made_a_claim_can_release_it(claims: Claims) -> None:
    made = claims.claim(me(), "reviewer")
    with sleeper() as started:
        thief = Peer(started.pid, UID, process(started.pid))
        with pytest.raises(RefusedClaimError, match="has no claim"):
            claims.release(thief, made.id)
        with pytest.raises(RefusedClaimError, match="has no claim"):
            claims.release(Peer(os.getpid(), UID, None), made.id)
        assert len(claims) == 1
    assert claims.release(me(), made.id) is made
    with pytest.raises(RefusedClaimError, match="has no claim"):
        claims.release(me(), made.id)


def test_one_process_can_not_make_claims_without_end(claims: Claims) -> None:
    for _ in range(64):
        claims.claim(me(), "reviewer")
    with pytest.raises(RefusedClaimError, match="release some"):
        claims.claim(me(), "reviewer")


def test_who_was_under_a_claim_once_is_still_an_agent(claims: Claims) -> None:
    made = claims.claim(me(), "reviewer")
    claims.release(me(), made.id)
    with sleeper() as started:
        lineage = claims.lineages.of(process(started.pid))
        assert claims.covering(lineage) is None
        assert claims.touches(lineage)
        assert not claims.touches(claims.lineages.of(process(os.getppid())))


def test_a_claim_ends_with_the_last_of_its_processes(claims: Claims) -> None:
    with sleeper(child=True) as started:
        root, grandchild = process(started.pid), process(printed(started))
        made = claims.grant(REVIEWER, root, UID)
        claims.saw(look_at_all())
        started.kill()
        started.wait()
        assert [claims.saw(look_at_all()) for _ in range(3)] == [[], [], []]
        assert claims.covering(claims.lineages.of(grandchild)) is made
        os.kill(grandchild.pid, signal.SIGKILL)
        wait_until(lambda: look(grandchild.pid) is None)
    assert [claims.saw(look_at_all()) for _ in range(3)] == [[], [made], []]
    assert len(claims) == 0
    assert not claims.wanted


def test_a_claim_of_a_process_that_is_gone_already_ends_too(claims: Claims) -> None:
    made = claims.grant(REVIEWER, Process(2**22 + 5, 1), UID)
    assert [claims.saw(look_at_all()) for _ in range(2)] == [[], [made]]


def test_who_is_born_while_the_others_are_looked_at_is_not_forgotten() -> None:
    lineages = Lineages()
    before = look_at_all()
    with sleeper(child=True) as started:
        grandchild = process(printed(started))
        lineage = lineages.of(grandchild)
        assert lineages.learn(before) == set()
        started.kill()
        started.wait()
        lineages.learn(look_at_all())
        lineages.learn(look_at_all())
        assert lineages.of(grandchild) == lineage


def test_the_dead_are_forgotten() -> None:
    lineages = Lineages()
    gone = []
    for _ in range(5):
        with sleeper() as started:
            gone.append(process(printed(started)))
            lineages.of(gone[-1])
    lineages.learn(look_at_all())
    forgotten = lineages.learn(look_at_all())
    assert forgotten >= set(gone)
    assert all(len(lineages.of(each)) == 1 for each in gone)
