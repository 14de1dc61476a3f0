"""SDKs that Stainless generates (OpenAI's, Anthropic's): all calls of all their clients are made by one method.

`request` is looked up on the client at each call, so that what was built or bound before it was patched comes by too:
clients, cached views for raw responses, bound methods. The body of an answer is read from the wire, in another thread.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry import trace

from aotel.calls import PORT
from aotel.calls.call import CALL_KEY
from aotel.calls.scope import detach
from aotel.content import Deferred
from aotel.instrumentation.gate import is_recording
from aotel.instrumentation.model_call import ModelCall
from aotel.instrumentation.nesting import is_inside
from aotel.instrumentation.plain import is_plain, plain
from aotel.instrumentation.sites import clean, site_for
from aotel.instrumentation.wire.body import Body, body_of, watch
from aotel.instrumentation.wire.event_stream import answer_of
from aotel.instrumentation.wire.usage_option import UsageOption
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from aotel.calls import CallSite
    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.patches import Patches


class Sdk(NamedTuple):
    """What is particular to one SDK.

    Args:
        form_of: returns how a request is read, by its options and whether it is streamed; None if it is no model call.
        provider_of: returns the GenAI provider name of a client, by the names of its classes and its host.
        request_id: names of the header with the id of a request.
    """

    form_of: Callable[[Any, bool], Format | None]
    provider_of: Callable[[str, str], str]
    request_id: tuple[str, ...]


class HttpCall(ModelCall):
    """A model call over HTTP.

    Args:
        site: as for `ModelCall`.
        form: as for `ModelCall`.
        request: as for `ModelCall`.
        sdk: which SDK makes it.
        hides_usage: whether the chunk that counts tokens was asked for by us.
    """

    streams: bool = False
    content: Deferred[Any] | None = None
    _may_have_failed: bool = False

    def __init__(self, site: CallSite, form: Format, request: Any, sdk: Sdk, *, hides_usage: bool) -> None:
        super().__init__(site, form, request)
        self.form = form
        self._sdk = sdk
        self.hides_usage = hides_usage

    def sent(self, body: Any) -> None:
        """Take the request as it is sent, where what was given says less: iterators, and files to be read."""
        if not is_plain(self._request):
            self._request = plain(body)
            if self._asked is not None:
                self.take_input()

    def received(self, response: Any, retries: int) -> None:
        """Take note of the answer's head, and see to it that its body is seen.

        Args:
            response: of httpx.
            retries: how often the request was sent again.
        """
        headers = response.headers
        self.attributes[names.HTTP_RESPONSE_STATUS_CODE] = response.status_code
        self.count_retries(retries)
        request_id = next((found for name in self._sdk.request_id if (found := headers.get(name))), None)
        if request_id is not None:
            self.attributes[names.AOT_REQUEST_ID] = clean(request_id)
        content_type = headers.get("content-type", "")
        if response.is_closed and not self.hides_usage:
            body = response.content
            self._may_have_failed = any(mark in body for mark in self.form.failed)
            self.content = Deferred(answer_of, body, content_type, self.form.assemble, size=len(body))
        else:
            # The body knows the call, and the call not the body, so that nothing keeps it from being collected.
            watch(response, Body(self, self.form, content_type, hides_usage=self.hides_usage))
            self.streams = True

    def count_retries(self, retries: int) -> None:
        """Note how often the request was sent again."""
        if retries:
            self.attributes[names.HTTP_REQUEST_RESEND_COUNT] = retries

    def returned(self) -> None:
        """Take note that the SDK returned: the end of what is not read by the program."""
        if self.streams:
            return
        if self.content is not None:
            (self.judged if self._may_have_failed else self.answered)(self.content)
        else:
            self.succeed()

    def raised(self, error: BaseException) -> None:
        """Take note that the SDK raised, perhaps about an answer that counts tokens."""
        try:
            request = getattr(error, "request", None)
            self.count_retries(int(request.headers.get("x-stainless-retry-count") or 0) if request is not None else 0)
        except Exception as problem:  # noqa: BLE001 - a request of some other kind
            PORT.report("count of retries", problem)
        self.failed(error, self.content)


def patch(module: ModuleType, patches: Patches, sdk: Sdk) -> None:
    """Patch the base clients of an SDK.

    Args:
        module: its `_base_client`.
        patches: takes the patches.
        sdk: what is particular to it.
    """

    def request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        attempt = _begin(sdk, client, args, kwargs)
        return wrapped(*args, **kwargs) if attempt is None else attempt.make(wrapped)

    async def request_async(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        attempt = _begin(sdk, client, args, kwargs)
        return await (wrapped(*args, **kwargs) if attempt is None else attempt.make_async(wrapped))

    for client, around in ((module.SyncAPIClient, request), (module.AsyncAPIClient, request_async)):
        patches.wrap(client, "request", around)
        patches.wrap_around_others(client, "request", around)
        patches.wrap(client, "_process_response", _see_response)
    streaming = sys.modules[f"{module.__package__}._streaming"]
    patches.wrap(streaming.Stream, "__stream__", _see_events)
    patches.wrap(streaming.AsyncStream, "__stream__", _see_events_async)


def _see_events(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    events = wrapped(*args, **kwargs)
    body = _body_of(stream)
    return events if body is None else body.guard(events)


def _see_events_async(wrapped: Any, stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    events = wrapped(*args, **kwargs)
    body = _body_of(stream)
    return events if body is None else body.guard_async(events)


def _body_of(stream: Any) -> Body | None:
    try:
        return body_of(stream.response)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("reading of a stream", error)
        return None


def _see_response(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # What stands between the client and the wire may ask again, and answer with something else: see `see_answer`.
    if not getattr(client, "_middleware", None):
        see_answer(kwargs.get("response"), kwargs.get("retries_taken"))
    return wrapped(*args, **kwargs)


def see_answer(response: Any, retries: int | None) -> None:
    """Take note of the answer to the call that is being made.

    Args:
        response: of httpx.
        retries: how often the request was sent again.
    """
    try:
        call = call_being_made()
        if call is not None and response is not None:
            call.received(response, retries or 0)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("reading of an answer", error)


def call_being_made() -> HttpCall | None:
    """Return the call whose span is current, itself or as a span context of the same ids; None where there is none.

    Another instrumentor may stand between us and the wire: then its span is current, and a child of the call's.
    """
    current = trace.get_current_span()
    call = otel_context.get_value(CALL_KEY)
    if call is None and PORT.call_of is not None:  # a context that keeps nothing but the span
        call = PORT.call_of(current)
    if not isinstance(call, HttpCall) or call.ended:
        return None
    near = (current.get_span_context(), getattr(current, "parent", None))
    own = call.span.get_span_context().span_id
    return call if any(context is not None and context.span_id == own for context in near) else None


class _Attempt:
    """One call of `request`, and with a parameter of ours in it, a second one where the server refuses that."""

    def __init__(self, call: HttpCall, args: tuple[Any, ...], kwargs: dict[str, Any], option: UsageOption) -> None:
        self._call = call
        self._args = args
        self._kwargs = kwargs
        self._option = option

    def make(self, request: Callable[..., Any]) -> Any:
        call = self._call
        token = otel_context.attach(call.start())
        try:
            refused, result = False, None
            try:
                result = request(*self._option.args(self._args), **self._option.kwargs(self._kwargs))
            except Exception as error:
                refused = self._is_refused(error)
                if not refused:
                    raise
            if refused:
                result = request(*self._args, **self._kwargs)
        except BaseException as error:
            detach(token)
            call.raised(error)
            raise
        detach(token)
        call.returned()
        return result

    async def make_async(self, request: Callable[..., Any]) -> Any:
        call = self._call
        token = otel_context.attach(call.start())
        try:
            refused, result = False, None
            try:
                result = await request(*self._option.args(self._args), **self._option.kwargs(self._kwargs))
            except Exception as error:
                refused = self._is_refused(error)
                if not refused:
                    raise
            if refused:
                result = await request(*self._args, **self._kwargs)
        except BaseException as error:
            detach(token)
            call.raised(error)
            raise
        detach(token)
        call.returned()
        return result

    def _is_refused(self, error: Exception) -> bool:
        refused = self._option.is_refused(error)
        if refused:
            self._call.hides_usage = False
        return refused


def _begin(sdk: Sdk, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Attempt | None:
    """Return a call that is to be recorded, or None for one that passes through."""
    try:
        if not is_recording():
            return None
        options = kwargs["options"] if "options" in kwargs else args[1]
        stream = kwargs.get("stream") is True
        form = sdk.form_of(options, stream)
        if form is None or is_inside():
            return None
        request = _request_of(options)
        option = UsageOption(client, options, wanted=form.asks_for_usage and stream)
        site = site_for(sdk.provider_of, client, form, request.get("model"))
        return _Attempt(HttpCall(site, form, request, sdk, hides_usage=option.is_set), args, kwargs, option)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("start of a model call", error)
        return None


def _request_of(options: Any) -> dict[str, Any]:
    body = plain(options.json_data)
    extra = getattr(options, "extra_json", None)
    more = plain(dict(extra)) if isinstance(extra, Mapping) else {}
    return {**body, **more} if type(body) is dict else more
