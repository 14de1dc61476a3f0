"""The approval queue: tiers, who may ask and be told, what outlives a restart, and its bounds."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.envelopes.protocol import RateLimited
from aotel.errors import AotelError
from aotel.pod import actions
from aotel.pod.actions import ActionError, ActionQueue, Reply
from aotel.pod.config import ActionConfig, ParamConfig
from aotel.pod.parameters import ParametersError, checked
from aotel.pod.peers import Peer
from aotel.pod.processes import Process
from aotel.pod.requested import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAIL = ActionConfig(
    "send_mail",
    "Send an e-mail",
    "staged",
    (ParamConfig("to", required=True), ParamConfig("retries", "integer"), ParamConfig("weight", "number")),
)
ACTIONS = (
    MAIL,
    ActionConfig("look", "Look something up", "immediate"),
    ActionConfig("publish", "Publish a page", "delayed", delay_secs=10.0),
    ActionConfig("drop_table", "Drop a table", "blocked"),
)
AGENT = Peer(4000, 1000, Process(4000, 100))
CHILD = Peer(4001, 1000, Process(4001, 101))
STRANGER = Peer(4002, 1000, Process(4002, 102))
PERSON = Peer(5000, 1000, Process(5000, 200))


class Gate:
    """A queue with a clock that is set by hand, and what it had audited."""

    def __init__(self, state: Path, claims: dict[Peer, str] | None = None) -> None:
        self.state = state
        self.now = 1_800_000_000.0
        self.claims = claims or {}
        self.audited: list[tuple[str, dict[str, object], bool]] = []
        self.queue = self.restarted()

    def restarted(self) -> ActionQueue:
        self.queue = ActionQueue(ACTIONS, self.state, lambda: self.now, audit=self._audit, claim_of=self.claims.get)
        return self.queue

    def _audit(self, action: str, detail: dict[str, object], success: bool) -> None:
        json.dumps(detail)
        self.audited.append((action, detail, success))

    def statuses(self) -> list[object]:
        return [detail["status"] for _, detail, _ in self.audited]

    def call(self, action: str, by: Peer = AGENT, **params: object) -> Reply:
        made = self.queue.call(action, params, by)
        assert isinstance(made, Reply)
        return made

    def submit(self, description: str, tier: str = "staged", by: Peer = AGENT) -> Reply:
        made = self.queue.submit(description, tier, by)
        assert isinstance(made, Reply)
        return made


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "actions.json")


def test_agents_are_told_what_can_be_called(gate: Gate) -> None:
    offers = {offer.name: offer for offer in gate.queue.list_actions().actions}
    assert set(offers) == {"send_mail", "look", "publish", "drop_table"}
    assert offers["send_mail"].tier == "staged"
    assert [(param.name, param.type, param.required) for param in offers["send_mail"].params] == [
        ("to", "string", True),
        ("retries", "integer", False),
        ("weight", "number", False),
    ]


def test_a_staged_action_waits_for_a_person(gate: Gate) -> None:
    asked = gate.call("send_mail", to="a@example.org")
    assert (asked.status, asked.action) == ("queued", "send_mail")
    assert asked.id[:8] in asked.message
    gate.now += 3600
    gate.queue.tick()
    assert gate.queue.poll(asked.id, AGENT).status == "queued"
    (waiting,) = gate.queue.pending()
    assert waiting.description == 'send_mail {"to":"a@example.org"}'
    assert gate.queue.decide(asked.id, "approve", PERSON).status == "approved"
    assert gate.queue.pending() == []
    assert gate.queue.poll(asked.id, AGENT).status == "approved"


def test_an_approval_is_handed_out_once(gate: Gate) -> None:
    asked = gate.submit("delete the old branch")
    gate.queue.decide(asked.id, "approve", PERSON)
    assert [gate.queue.poll(asked.id, AGENT).status for _ in range(3)] == ["approved", "executed", "executed"]
    gate.restarted()
    assert gate.queue.poll(asked.id, AGENT).status == "executed"


def test_a_denied_action_is_cancelled_for_good(gate: Gate) -> None:
    asked = gate.submit("charge the card")
    assert gate.queue.decide(asked.id, "deny", PERSON).status == "cancelled"
    assert gate.queue.poll(asked.id, AGENT).status == "cancelled"
    with pytest.raises(ActionError, match="is cancelled already"):
        gate.queue.decide(asked.id, "approve", PERSON)


def test_an_approval_can_be_taken_back_until_somebody_was_told(gate: Gate) -> None:
    first, second = gate.submit("one"), gate.submit("two")
    for asked in (first, second):
        gate.queue.decide(asked.id, "approve", PERSON)
    gate.queue.decide(first.id, "deny", PERSON)
    assert gate.queue.poll(first.id, AGENT).status == "cancelled"
    gate.queue.poll(second.id, AGENT)
    with pytest.raises(ActionError, match="is executed already"):
        gate.queue.decide(second.id, "deny", PERSON)


def test_an_immediate_action_goes_ahead_with_its_reply(gate: Gate) -> None:
    asked = gate.call("look")
    assert asked.status == "approved"
    assert "proceed" in asked.message
    assert gate.queue.poll(asked.id, AGENT).status == "executed"
    assert gate.queue.pending() == []


def test_a_blocked_action_can_not_be_approved(gate: Gate) -> None:
    asked = gate.call("drop_table")
    assert asked.status == "blocked"
    with pytest.raises(ActionError, match="is blocked already"):
        gate.queue.decide(asked.id, "approve", PERSON)
    assert gate.queue.poll(asked.id, AGENT).status == "blocked"
    assert [success for _, _, success in gate.audited] == [False]


def test_a_delayed_action_goes_ahead_by_itself_unless_it_is_denied(gate: Gate) -> None:
    kept, denied = gate.call("publish"), gate.call("publish")
    assert kept.status == "queued"
    assert "unless it is denied" in kept.message
    gate.now += 9.9
    gate.queue.tick()
    assert gate.queue.poll(kept.id, AGENT).status == "queued"
    gate.queue.decide(denied.id, "deny", PERSON)
    gate.now += 0.1
    gate.queue.tick()
    assert gate.queue.poll(kept.id, AGENT).status == "approved"
    assert gate.queue.poll(denied.id, AGENT).status == "cancelled"


def test_a_delay_goes_on_while_the_pod_is_down(gate: Gate) -> None:
    asked = gate.call("publish")
    gate.now += 11
    assert gate.restarted().poll(asked.id, AGENT).status == "approved"


def test_a_delayed_action_can_be_approved_early(gate: Gate) -> None:
    asked = gate.call("publish")
    gate.queue.decide(asked.id, "approve", PERSON)
    assert gate.queue.poll(asked.id, AGENT).status == "approved"


@pytest.mark.parametrize(
    ("tier", "status"),
    [
        ("staged", "queued"),
        ("delayed", "queued"),
        ("immediate", "approved"),
        ("IMMEDIATE_PROTECTED", "approved"),
        ("blocked", "blocked"),
        ("no such tier", "queued"),
    ],
)
def test_tiers_of_a_submission_are_the_runtimes(gate: Gate, tier: str, status: str) -> None:
    assert gate.submit("something", tier).status == status


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "needs the parameter 'to'"),
        ({"to": "a", "cc": "b"}, "has no parameter 'cc'; it takes: to, retries, weight"),
        ({"to": 1}, "parameter 'to' of send_mail is a string, got an integer"),
        ({"to": None}, "got null"),
        ({"to": "a", "retries": True}, "parameter 'retries' of send_mail is an integer, got a boolean"),
        ({"to": "a", "retries": 1.0}, "got a number"),
        ({"to": "a", "weight": "1"}, "parameter 'weight' of send_mail is a number, got a string"),
        ({"to": "x" * 9000}, "8192 are the most"),
    ],
)
def test_wrong_parameters_are_named(gate: Gate, params: dict[str, object], message: str) -> None:
    with pytest.raises(ParametersError, match=message):
        gate.queue.call("send_mail", params, AGENT)
    assert gate.queue.pending() == []


def test_an_unknown_action_is_told_of_the_known_ones(gate: Gate) -> None:
    with pytest.raises(ActionError, match="no action 'send_fax'; there are: send_mail, look, publish, drop_table"):
        gate.queue.call("send_fax", {}, AGENT)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["to", "retries", "weight", "other"]) | st.text(), _JSON, max_size=4))
def test_whatever_passes_has_the_configured_shape(params: dict[str, object]) -> None:
    try:
        shown = checked(MAIL, params)
    except AotelError:
        return
    assert isinstance(params["to"], str)
    assert type(params.get("retries", 1)) is int
    assert type(params.get("weight", 1)) in (int, float)
    assert set(params) <= {"to", "retries", "weight"}
    assert json.loads(shown) == params


@pytest.mark.parametrize("description", ["", "  \n", "x" * 4097])
def test_a_description_must_be_there_and_be_readable(gate: Gate, description: str) -> None:
    with pytest.raises(ActionError, match="1 to 4096 characters"):
        gate.queue.submit(description, "staged", AGENT)


def test_only_who_asked_is_told(gate: Gate) -> None:
    asked = gate.submit("something")
    gate.queue.decide(asked.id, "approve", PERSON)
    later = Peer(AGENT.pid, AGENT.uid, Process(AGENT.pid, 999))
    for other in (CHILD, PERSON, Peer(0, 1000, None), Peer(AGENT.pid, AGENT.uid, None), later):
        with pytest.raises(ActionError, match="unknown id"):
            gate.queue.poll(asked.id, other)
    assert gate.queue.poll(asked.id, AGENT).status == "approved"


def test_who_is_under_the_same_claim_is_told(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "actions.json", {AGENT: "claim_1", CHILD: "claim_1", STRANGER: "claim_2"})
    asked = gate.submit("something")
    gate.queue.decide(asked.id, "approve", PERSON)
    with pytest.raises(ActionError, match="unknown id"):
        gate.queue.poll(asked.id, STRANGER)
    gate.restarted()
    assert gate.queue.poll(asked.id, CHILD).status == "approved"
    gate.claims.clear()
    with pytest.raises(ActionError, match="unknown id"):
        gate.queue.poll(asked.id, CHILD)
    assert gate.queue.poll(asked.id, AGENT).status == "executed"


def test_the_first_characters_of_an_id_do(gate: Gate) -> None:
    asked = gate.submit("something")
    assert gate.queue.poll(asked.id[:8], AGENT).id == asked.id
    for short in (asked.id[:7], "", asked.id + "0", asked.id[1:]):
        with pytest.raises(ActionError, match="unknown id"):
            gate.queue.poll(short, AGENT)


def test_an_ambiguous_id_is_not_guessed(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["12345678-aaaa", "12345678-bbbb"])
    monkeypatch.setattr("aotel.pod.actions.uuid.uuid4", lambda: next(ids))
    gate.submit("one")
    gate.submit("two", by=STRANGER)
    assert gate.queue.poll("12345678", AGENT).id == "12345678-aaaa"
    with pytest.raises(ActionError, match="2 actions have an id that begins"):
        gate.queue.decide("12345678", "approve", PERSON)


def test_every_change_is_audited(gate: Gate) -> None:
    asked = gate.call("send_mail", to="a@example.org")
    gate.queue.decide(asked.id, "approve", PERSON)
    gate.queue.poll(asked.id, AGENT)
    gate.queue.poll(asked.id, AGENT)
    denied = gate.submit("no")
    gate.queue.decide(denied.id, "deny", PERSON)
    assert gate.statuses() == ["queued", "approved", "executed", "queued", "cancelled"]
    first = gate.audited[0][1]
    assert first["id"] == asked.id
    assert (first["action"], first["tier"], first["by"]) == ("send_mail", "staged", {"pid": 4000, "uid": 1000})
    assert gate.audited[1][1]["by"] == {"pid": 5000, "uid": 1000}
    assert {action for action, _, _ in gate.audited} == {"gate"}
    assert [success for _, _, success in gate.audited] == [True, True, True, True, False]


def test_secrets_in_a_description_are_not_in_the_log_but_before_who_decides(gate: Gate) -> None:
    gate.submit("log in with password=hunter2hunter2")
    assert "hunter2" not in json.dumps(gate.audited[0][1])
    assert "hunter2hunter2" in gate.queue.pending()[0].description


def test_submissions_are_limited_by_the_minute(gate: Gate) -> None:
    for number in range(actions.SUBMISSIONS_A_MINUTE):
        gate.submit(f"number {number}", "blocked")
    held = gate.queue.submit("one more", "staged", STRANGER)
    assert isinstance(held, RateLimited)
    assert held.retry_after is not None
    assert held.retry_after == pytest.approx(3.0)
    gate.queue.submit("and another", "staged", AGENT)
    assert gate.statuses().count("rate_limited") == 1
    gate.call("look")
    gate.submit("another user", by=Peer(1, 1001, Process(1, 1)))
    gate.now += held.retry_after
    gate.submit("after the wait")


def test_calls_are_limited_by_the_minute(gate: Gate) -> None:
    for _ in range(actions.REQUESTS_A_MINUTE):
        gate.call("look")
    held = gate.queue.call("look", {}, AGENT)
    assert isinstance(held, RateLimited)
    assert held.retry_after == pytest.approx(0.5)
    gate.now -= 3600
    assert isinstance(gate.queue.call("look", {}, AGENT), RateLimited)


def test_one_agent_can_not_fill_the_queue(gate: Gate) -> None:
    for number in range(actions.MOST_WAITING_OF_ONE):
        gate.call("send_mail", to=str(number))
    with pytest.raises(ActionError, match="32 actions of this agent wait"):
        gate.call("send_mail", to="one more")
    gate.call("send_mail", by=STRANGER, to="another's")
    gate.call("look")


def test_the_queue_is_bounded(gate: Gate) -> None:
    for number in range(actions.MOST_WAITING):
        pid = number // 32
        gate.call("send_mail", by=Peer(pid, pid, Process(pid, 1)), to=str(number))
    with pytest.raises(ActionError, match="256 actions wait"):
        gate.call("send_mail", by=Peer(9, 9, Process(9, 1)), to="one more")
    gate.queue.decide(gate.queue.pending()[0].id, "deny", PERSON)
    gate.call("send_mail", by=Peer(9, 9, Process(9, 1)), to="one more")


def test_what_is_settled_is_forgotten_in_time(gate: Gate) -> None:
    first = gate.call("look")
    for number in range(actions.MOST_REMEMBERED):
        gate.now += 1
        gate.call("look", by=Peer(number, number, Process(number, 1)))
    with pytest.raises(ActionError, match="unknown id"):
        gate.queue.poll(first.id, AGENT)
    assert len(json.loads(gate.state.read_text())["actions"]) == actions.MOST_REMEMBERED


def test_what_nobody_decides_or_wants_is_cancelled(gate: Gate) -> None:
    undecided, unwanted = gate.submit("undecided"), gate.submit("unwanted")
    gate.queue.decide(unwanted.id, "approve", PERSON)
    gate.now += actions.LONGEST_APPROVAL
    gate.queue.tick()
    assert gate.queue.poll(unwanted.id, AGENT).status == "cancelled"
    gate.now += actions.LONGEST_WAIT - actions.LONGEST_APPROVAL
    assert gate.queue.pending() == []
    assert gate.queue.poll(undecided.id, AGENT).status == "cancelled"


def test_the_queue_outlives_a_restart(gate: Gate) -> None:
    asked = gate.call("send_mail", to="a@example.org", weight=0.5)
    before = gate.queue.pending()
    assert gate.restarted().pending() == before
    gate.queue.decide(asked.id, "approve", PERSON)
    assert gate.restarted().poll(asked.id, AGENT).status == "approved"
    assert stat.S_IMODE(gate.state.stat().st_mode) == 0o600
    assert [path.name for path in gate.state.parent.iterdir()] == ["actions.json"]


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff\x00", b"[" * 100_000, b'{"version":2,"actions":[]}', b'{"a":1}'])
def test_a_broken_file_approves_nothing_and_is_kept(
    gate: Gate, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    asked = gate.submit("something")
    gate.queue.decide(asked.id, "approve", PERSON)
    gate.state.write_bytes(broken)
    with pytest.raises(ActionError, match="unknown id"):
        gate.restarted().poll(asked.id, AGENT)
    (aside,) = gate.state.parent.glob("actions.json.broken-*")
    assert aside.read_bytes() == broken
    assert gate.audited[-1][1]["status"] == "lost"
    assert "put aside" in caplog.text
    assert gate.submit("goes on").status == "queued"


def _unwritable(gate: Gate) -> Callable[[], None]:
    """Make the state's directory one that no file can be made in, for root too."""
    folder = gate.state.parent
    moved = folder.with_name(f"{folder.name}-moved")
    folder.rename(moved)

    def back() -> None:
        moved.rename(folder)

    return back


def test_what_can_not_be_written_does_not_happen(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    asked, delayed = gate.submit("something"), gate.call("publish")
    gate.queue.decide(asked.id, "approve", PERSON)
    audited = len(gate.audited)
    back = _unwritable(gate)
    with pytest.raises(StateError, match="nothing was changed"):
        gate.queue.poll(asked.id, AGENT)
    with pytest.raises(StateError):
        gate.submit("another")
    gate.now += 60
    gate.queue.tick()
    gate.queue.tick()
    assert caplog.text.count("nothing was changed") == 1
    assert len(gate.audited) == audited
    back()
    assert gate.queue.poll(asked.id, AGENT).status == "approved"
    assert gate.queue.poll(delayed.id, AGENT).status == "approved"
