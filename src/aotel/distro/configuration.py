"""`configure`: settings are read, the rooms are wired together, and the pipeline attaches to the tracer provider."""

from __future__ import annotations

import atexit
import contextlib
import logging
import sys
from threading import RLock
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import set_tracer_provider

from aotel import settings as environment
from aotel._version import __version__
from aotel.calls.port import PORT, SCOPE_NAME
from aotel.content import ContentPolicy, activate
from aotel.distro.arguments import Request
from aotel.distro.backends import add_backend_exporters, with_backends
from aotel.distro.child_processes import Children
from aotel.distro.continuing import continue_trace
from aotel.distro.durability import durability_of
from aotel.distro.ending import ENDING
from aotel.distro.fresh_processes import carry_context_into_fresh_processes
from aotel.distro.handle import Handle
from aotel.distro.ledger import Ledger
from aotel.distro.root_spans import WaitAtRoot
from aotel.distro.samplers import sampler_by_name
from aotel.distro.self_metrics import SelfMetrics, program_meter_provider
from aotel.distro.span_export import FLUSH_TIMEOUT, SPANS, add_span_exporters, exports_spans, send_spans_at_root
from aotel.distro.subprocesses import carry_context_into_processes
from aotel.distro.termination import watch_sigterm
from aotel.distro.threads import carry_context_into_threads
from aotel.distro.watching import console_exporter, start_sensor
from aotel.export import OtlpExporter, select
from aotel.instrumentation.switch import follow_settings
from aotel.pipeline import Pipeline, attach, make_provider, reads_attributes
from aotel.pipeline.provider import behind, current_provider, is_attached, others_see_first, takes_processors

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from opentelemetry.sdk._logs.export import LogRecordExporter

    from aotel.settings import Settings

_logger = logging.getLogger("aotel")
_lock = RLock()


class _State:
    """What is configured in this process; one of it."""

    def __init__(self) -> None:
        self.request: Request | None = None
        self.pipeline: Pipeline | None = None
        self.provider: Any = None
        self.recorders: tuple[LogRecordExporter, ...] | None = None
        self.selected: tuple[LogRecordExporter, ...] = ()
        self.destination = ""
        self.said: set[str] = set()
        self.children: Children | None = None
        self.ledger = Ledger()
        self.measured = False


STATE = _State()


def configure(  # noqa: PLR0913 - the public signature
    *,
    session_id: str | None = None,
    agent_id: str | None = None,
    agent_role: str | None = None,
    capture: str | None = None,
    envelopes: str | Sequence[str] | None = None,
    exporters: Sequence[LogRecordExporter] = (),
    backend: str | Sequence[str] | None = None,
    instrument: str | Sequence[str] | None = None,
    inline: bool = False,
    redact: Callable[[str], str] | None = None,
    tracer_provider: Any = None,
    flush_timeout: float = FLUSH_TIMEOUT,
) -> Handle:
    """Attach to the program's tracer provider, or make one. Reads the environment anew; may be called again.

    Never needed under `opentelemetry-instrument`; without it, the first coated call configures by the environment.
    What the environment says wins over the arguments.

    Args:
        session_id: the session of all that happens outside a `session` block.
        agent_id: who acts, on transports that don't identify the process themselves.
        agent_role: in which role.
        capture: how content is written: "none", "redacted" (the default), "hash", "summary" or "raw".
        envelopes: where envelopes go: "auto", "pod", "otlp", "stderr", "file:PATH", "none", or several.
        exporters: log record exporters of your own, which then take the place of "auto".
        backend: where spans go, by name: some of "phoenix", "arize", "datadog", "langfuse", "otlp" and "pod", as a list
            or with commas between. Their keys and addresses are in the vendors' own environment variables.
        instrument: libraries whose calls become spans, by name: "all" (the default), "none", or some of
            `aotel.instrumentation.supported()`.
        inline: no worker thread: every envelope is delivered before the call returns (scripts, notebooks, tests).
        redact: applied to every string after our own redaction.
        tracer_provider: the provider to attach to; the global one by default.
        flush_timeout: how long delivery may take at exit, in seconds.

    Returns:
        A handle with `flush` and `shutdown`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a value that is not accepted.
    """
    request = Request(
        session_id,
        agent_id,
        agent_role,
        capture,
        envelopes,
        exporters,
        backend,
        instrument,
        inline,
        redact,
        tracer_provider,
        flush_timeout,
    )
    return apply(request.checked())


def apply(request: Request, *, threads: bool = True) -> Handle:
    """Carry out a checked request; see `configure`.

    Args:
        request: what to do.
        threads: whether to see to it that threads keep their parent and libraries are instrumented;
            auto-instrumentation does so itself, later.
    """
    with _lock:
        settings = with_backends(environment.load(), request)
        environment.report(settings)
        STATE.request = request
        PORT.autostart = None
        PORT.enabled = not settings.disabled
        if settings.disabled:
            return Handle(None, None)
        policy = _policy(settings, request)
        pipeline = STATE.pipeline = STATE.pipeline or Pipeline(settings, policy)
        provider = STATE.provider = _provider(request, pipeline, settings)
        _fill(pipeline, settings, policy, request, provider, exported=exports_spans(provider))
        _open_port(pipeline, provider, settings)
        _open_tracer(pipeline, provider)
        if threads:
            carry_context_into_threads()
            follow_settings(_libraries(settings, request))
        start_sensor(settings)
        return Handle(pipeline, provider)


def _libraries(settings: Settings, request: Request) -> Sequence[str]:
    asked = settings.instrument
    return request.instrument if request.instrument is not None and asked == ("all",) else asked


def the_pipeline(settings: Settings) -> Pipeline:
    """Return the pipeline of this process, which makes no envelopes until it is configured."""
    with _lock:
        if STATE.pipeline is None:
            STATE.pipeline = Pipeline(settings, _policy(settings, Request()))
        return STATE.pipeline


def adopt(provider: Any) -> None:
    """Attach to a provider that the program has just made, and may or may not make the global one.

    Its spans are served at once; the manual API waits for its first call, to find the provider that is global then.
    """
    with _lock:
        if STATE.pipeline is not None and not STATE.pipeline.is_stopped:
            attach(provider, STATE.pipeline)
            request = STATE.request or Request()
            _send_spans(provider, with_backends(environment.load(), request), request)
            _end_before_providers()
            return
        request = STATE.request or Request()
        settings = with_backends(environment.load(), request)
        if settings.disabled:
            return
        environment.report(settings)
        pipeline = the_pipeline(settings)
        attach(provider, pipeline)
        _send_spans(provider, settings, request)
        # Whoever makes a provider is about to give it an exporter.
        _fill(pipeline, settings, pipeline.policy, request, provider, exported=True)
        _open_port(pipeline, provider, settings)


def _policy(settings: Settings, request: Request) -> ContentPolicy:
    policy = ContentPolicy.build(settings, configured=request.capture, redact=request.redact)
    activate(policy)
    return policy


def _fill(  # noqa: PLR0913 - one argument a fact
    pipeline: Pipeline, settings: Settings, policy: ContentPolicy, request: Request, provider: Any, *, exported: bool
) -> None:
    former, STATE.selected = STATE.selected, ()
    pipeline.apply(
        settings,
        policy,
        _exporters(settings, request, exported=exported) if STATE.recorders is None else STATE.recorders,
        session_id=request.session_id,
        agent_id=request.agent_id,
        agent_role=request.agent_role,
        inline=request.inline,
        flush_timeout=request.flush_timeout,
        resource=getattr(provider, "resource", None),
        durability=durability_of(settings, say_once) if STATE.recorders is None else None,
    )
    for exporter in former:
        exporter.shutdown()  # type: ignore[no-untyped-call]
    STATE.ledger.follow(pipeline.exporters)
    _measure(pipeline)
    if pipeline.session_id:
        say_once(f"session id {policy.redactor.text(pipeline.session_id)!r} is in use", logging.INFO)
    if STATE.children is None:
        STATE.children = Children()
    ENDING.pipeline, ENDING.provider = pipeline, provider
    send_spans_at_root(wanted=settings.flush != "off")
    pipeline.hurries = settings.flush != "off"
    pipeline.root_started = WaitAtRoot(pipeline, provider).started if settings.flush == "wait" else None
    _end_before_providers()


def _end_before_providers() -> None:
    """Be the first at exit: providers have handlers too, one after the other, that know nothing of each other's time.

    Whoever registers last is called first.
    """
    atexit.unregister(ENDING.finish)
    atexit.register(ENDING.finish)


def _measure(pipeline: Pipeline) -> None:
    """Have the program's meter provider measure us, once: what it sets later takes over what was made before."""
    provider = None if STATE.measured else program_meter_provider()
    if provider is not None:
        STATE.measured = True
        SelfMetrics(provider, pipeline, STATE.ledger, SPANS)


def _provider(request: Request, pipeline: Pipeline, settings: Settings) -> Any:
    provider = request.tracer_provider if request.tracer_provider is not None else current_provider()
    if provider is None:
        provider = make_provider(pipeline, sampler_by_name(settings))
        if STATE.recorders is None:
            add_span_exporters(provider, settings, request.flush_timeout)
        set_tracer_provider(provider)
    else:
        attach(provider, pipeline)
        if behind(provider) is not provider:
            _follow_replacements()
    _send_spans(provider, settings, request)
    return provider


def _follow_replacements() -> None:
    """Attach to what takes the place of the provider behind the global one, as at each `logfire.configure()`."""
    from aotel.distro.hooks import watch_providers  # it knows this module

    watch_providers()


def _send_spans(provider: Any, settings: Settings, request: Request) -> None:
    if settings.backend and STATE.recorders is None:
        add_backend_exporters(provider, settings, request.flush_timeout)


def _exporters(settings: Settings, request: Request, *, exported: bool) -> tuple[LogRecordExporter, ...]:
    console = console_exporter(settings)
    shown = () if console is None else (console,)
    asked = settings.envelopes
    if asked == ("auto",):
        asked = tuple(request.envelopes or (() if request.exporters else asked))
    if not asked:
        STATE.destination = "the exporters that configure() was given"
        STATE.selected = shown
        return (*request.exporters, *shown)
    selection = select(
        settings.with_envelopes(asked),
        stderr_is_terminal=console is None and _stderr_is_terminal(),
        span_exporter=exported,
    )
    STATE.selected = (*selection.exporters, *shown)
    STATE.destination = selection.reason
    for problem in selection.problems:
        say_once(problem)
    # What writes on this machine first: it does not wait for a network ahead of it.
    local_first = sorted(selection.exporters, key=lambda exporter: isinstance(exporter, OtlpExporter))
    chosen = (*local_first, *request.exporters, *shown)
    if not chosen and asked != ("none",):
        # Where spans are exported somebody knows what they want; where nothing is, nobody would ever see anything.
        say_once(selection.reason, logging.INFO if exported else logging.WARNING)
    return chosen


def _stderr_is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (ValueError, AttributeError):
        return False


def _open_port(pipeline: Pipeline, provider: Any, settings: Settings) -> None:
    PORT.emit = pipeline.emit
    PORT.later = pipeline.later
    # A provider that takes no processor was warned of already.
    PORT.unsampled = pipeline.report_unsampled if is_attached(provider, pipeline) else None
    PORT.session_id = settings.session_id
    PORT.process_session = pipeline.session_id
    PORT.propagate_session = settings.propagate_session
    continue_trace(settings)
    carry_context_into_processes(wanted=settings.propagate_processes)
    carry_context_into_fresh_processes()
    watch_sigterm(wanted=settings.sigterm == "flush")


def _open_tracer(pipeline: Pipeline, provider: Any) -> None:
    tracer = provider.get_tracer(SCOPE_NAME, __version__)
    unattached = pipeline.unattached(None if takes_processors(provider) else tracer)
    PORT.call_of = None if unattached is None else unattached.call_of
    PORT.tracer = tracer if unattached is None else unattached
    sampler = getattr(behind(provider), "sampler", None)
    PORT.attributes_at_start = reads_attributes(sampler) or others_see_first(provider)


def autostart() -> None:
    """Configure by the environment, unless that was done; the first coated call comes here."""
    with _lock:
        if STATE.request is None:
            apply(Request())


@contextlib.contextmanager
def recording_to(exporter: LogRecordExporter | None, **options: Any) -> Generator[Handle]:
    """Configure for a while without network: envelopes go to `exporter` (and to those of enclosing recordings) alone.

    Args:
        exporter: gets the envelopes; None for the enclosing ones alone.
        options: as for `configure`.
    """
    with _lock:
        before, recorders = STATE.request, STATE.recorders
        # What the program configured holds inside too, but for where envelopes go.
        request = (before or Request())._replace(**{"exporters": (), "envelopes": None, **options}).checked()
        STATE.recorders = (*(recorders or ()), *(request.exporters if exporter is None else (exporter,)))
        try:
            handle = apply(request)
        except BaseException:
            STATE.recorders = recorders
            raise
    try:
        yield handle
    finally:
        with _lock:
            handle.flush()
            STATE.recorders = recorders
            _restore(before)


def _restore(request: Request | None) -> None:
    if request is not None:
        apply(request)
        return
    STATE.request = None
    activate(ContentPolicy.build(environment.load()))
    PORT.reset()
    PORT.autostart = autostart
    if STATE.pipeline is not None:
        STATE.pipeline.silence()


def say_once(text: str, level: int = logging.WARNING) -> None:
    """Log a sentence once a process."""
    if text not in STATE.said:
        STATE.said.add(text)
        _logger.log(level, "aotel: %s", text)
