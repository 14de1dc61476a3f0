"""What receivers say when they refuse, and stock exporters keep to themselves: why, and for how long."""

from __future__ import annotations

import contextlib
import math
import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STOCK_KEY: Final = "google.rpc.retryinfo-bin"  # where the stock exporter looks
_DETAILS_KEY: Final = "grpc-status-details-bin"  # where gRPC's richer error model has it


def seconds_asked(value: str | None) -> float:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return 0.0
    try:
        seconds = float(value.strip())
    except ValueError:
        return _seconds_until(value)
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(moment.timestamp() - time.time(), 0.0)


def hear_http(exporter: object, note: Callable[[float], None]) -> None:
    """Have each reply to an exporter over HTTP tell `note` the seconds it asks for; others are left as they are.

    The stock exporter waits by itself where its own time allows it, and forgets the wish where it doesn't.
    """
    transport = getattr(getattr(exporter, "_client", None), "_transport", None)
    session = getattr(exporter, "_session", None) or getattr(transport, "_session", None)
    hooks = getattr(session, "hooks", None)
    if not isinstance(hooks, dict) or not isinstance(cast("dict[str, Any]", hooks).get("response"), list):
        return

    def heard(response: Any, *_: object, **__: object) -> None:
        with contextlib.suppress(Exception):
            note(seconds_asked(response.headers.get("retry-after")))

    hooks["response"].append(heard)


class RefusedError(Exception):
    """A request that isn't to be sent again as it is, although the stock exporter would."""


class _Overheard:
    """A client of gRPC whose errors are noted on their way to the stock exporter, which says little of them."""

    def __init__(self, client: Any, note: Callable[[Exception], bool]) -> None:
        self._client = client
        self._note = note

    def Export(self, **request: Any) -> object:  # noqa: N802  the service's own name
        try:
            return self._client.Export(**request)
        except Exception as error:
            if self._note(error):
                raise RefusedError from error
            raise


def hear_grpc(exporter: object, note: Callable[[Exception], bool]) -> None:
    """Have each error of an exporter over gRPC told to `note`, also after it reconnects; others are left alone.

    Where `note` says so, the stock exporter doesn't send the same again, and a `RefusedError` comes out of it.
    """
    stub, client = getattr(exporter, "_stub", None), getattr(exporter, "_client", None)
    if not callable(stub) or not hasattr(client, "Export"):
        return
    vars(exporter)["_stub"] = lambda channel: _Overheard(stub(channel), note)  # pyright: ignore[reportUnknownLambdaType]
    vars(exporter)["_client"] = _Overheard(client, note)


def asked_by_grpc(error: object) -> float:
    """Return the seconds that a gRPC error asks for, 0 if it asks for none."""
    trailing = getattr(error, "trailing_metadata", None)
    if not callable(trailing):
        return 0.0
    try:
        metadata = dict(cast("Iterable[tuple[str, bytes]]", trailing() or ()))
        return _retry_info(metadata)
    except Exception:  # noqa: BLE001  a server may send anything
        return 0.0


def _retry_info(metadata: dict[str, bytes]) -> float:
    if _STOCK_KEY not in metadata and _DETAILS_KEY not in metadata:
        return 0.0
    from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
    from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

    info = RetryInfo()
    if _STOCK_KEY in metadata:
        info.ParseFromString(metadata[_STOCK_KEY])
    else:
        for detail in Status.FromString(metadata[_DETAILS_KEY]).details:
            if detail.Unpack(info):
                break
    seconds: float = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return max(seconds, 0.0)
