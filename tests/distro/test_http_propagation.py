"""Over HTTP a trace goes on as W3C Trace Context; session and run go with it in baggage when the operator asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.distro.programs import Programs

SERVICES = """
    import json, threading, urllib.request
    from http.server import BaseHTTPRequestHandler, HTTPServer

    import aotel
    from opentelemetry import context, propagate, trace
    from opentelemetry.trace import SpanKind

    tracer = trace.get_tracer("http")  # an instrumentor of HTTP, in essence
    heard = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append({name.lower() for name in self.headers})
            token = context.attach(propagate.extract({k.lower(): v for k, v in self.headers.items()}))
            with tracer.start_as_current_span("GET", kind=SpanKind.SERVER):
                serve()
            context.detach(token)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_): ...

    @aotel.coat("tool")
    def serve(): ...

    @aotel.coat("tool")
    def ask(port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}")
        with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
            propagate.inject(request.headers)
            urllib.request.urlopen(request, timeout=10).close()

    @aotel.run
    def main():
        with aotel.session("chat-7", user_id="user-9"):
            ask(server.server_port)

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        # A thread of before the run: nothing but the request tells it anything.
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        main()
        thread.join(10)
    print(json.dumps(sorted(heard[0] & {"traceparent", "baggage"})))
"""


@pytest.mark.parametrize("asked", [None, "session", "processes"])
def test_a_service_continues_the_trace_and_the_session_only_when_asked(asked: str | None, programs: Programs) -> None:
    ended = programs.run(SERVICES, environment={"AOTEL_PROPAGATE": asked or ""})
    assert ended.untouched, ended.stderr
    starts = {each["payload"]["fn"]: each for each in ended.envelopes if each["kind"] == "agent.tool.call"}
    ask, serve = starts["ask"], starts["serve"]
    assert serve["ids"]["trace_id"] == ask["ids"]["trace_id"]
    assert serve["ids"]["parent_span_id"] not in {"", ask["ids"]["parent_span_id"]}
    shared = [name for name in ("session_id", "run_id") if serve["ids"][name] == ask["ids"][name]]
    assert ask["ids"]["session_id"] == "chat-7"
    if asked == "session":
        assert ended.stdout == '["baggage", "traceparent"]\n'
        assert shared == ["session_id", "run_id"]
    else:
        assert ended.stdout == '["traceparent"]\n'
        assert shared == []


def test_the_user_does_not_travel(programs: Programs) -> None:
    source = """
        import aotel
        from opentelemetry import propagate

        carrier = {}
        with aotel.session("chat-7", user_id="user-9", agent_id="writer"):
            propagate.inject(carrier)
        print(carrier["baggage"])
    """
    ended = programs.run(source, environment={"AOTEL_PROPAGATE": "session"})
    assert ended.stdout == "session.id=chat-7\n"
