from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sensor.conftest import Watched
    from tests.sensor.receiver import Receiver


def test_no_line_of_an_argument_runs(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import io, os, socket, subprocess
        ran = []

        def trap(name):
            def method(self, *args, **kwargs):
                ran.append(name)
                raise ZeroDivisionError(name)
            return method

        SPECIAL = ["__str__", "__repr__", "__eq__", "__hash__", "__len__", "__iter__", "__getitem__", "__format__",
                   "__contains__", "__bool__", "__lt__", "__add__", "__bytes__", "__index__", "__getattribute__"]
        PLAIN = ["startswith", "encode", "decode", "split", "lower", "endswith"]

        def evil(base, but=()):
            names = [name for name in SPECIAL + PLAIN if name not in but]
            return type("Evil", (base,), {name: trap(name) for name in names})

        Text, Bytes, Tuple, Whole = evil(str), evil(bytes), evil(tuple), evil(int)
        # Raised as Python raises them: what Python does with such arguments afterwards is its own business.
        import sys
        before = list(ran)
        for path in (Text("/a/text"), Bytes(b"/a/bytes"), Whole(7), True, None, 1.5, object(), [], {}, Tuple(),
                     memoryview(b"/a/view")):
            for event, rest in [
                ("open", ("r", 0)), ("open", (None, os.O_RDWR)), ("os.remove", (-1,)), ("sqlite3.connect", ()),
                ("os.rename", (path, -1, -1)), ("os.truncate", (0,)), ("socket.getaddrinfo", (80, 0, 0, 0)),
                ("socket.gethostbyname", ()), ("os.system", ()), ("os.exec", ([path], None)),
                ("subprocess.Popen", ([path], None, None)), ("os.posix_spawn", ((path,), {})),
            ]:
                sys.audit(event, path, *rest)
            named = Tuple((Text("evil.example"), Whole(3)))
            for address in (path, (path, 1), (path, path), Tuple(("10.0.0.1", 2)), named):
                sys.audit("socket.connect", None, address)
        # Too few, too many, and none at all.
        for event in ("open", "os.remove", "os.rename", "socket.connect", "socket.getaddrinfo", "subprocess.Popen",
                      "os.exec", "os.system", "os.posix_spawn", "os.fork", "sqlite3.connect"):
            for args in ((), ("/a/few",), ("/a/many",) * 9):
                sys.audit(event, *args)
        assert not ran, ran
    """)
    opened = {event["path"] for event in pod.of("file_open", mode="read")}
    assert {"/a/text", "/a/bytes", "/a/view"} <= opened
    hosts = {(event["host"], event.get("port")) for event in pod.of("net_connect")}
    assert {("10.0.0.1", 2), ("evil.example", 3)} <= hosts


def test_classes_that_lie_about_themselves_are_not_asked(watched: Watched, pod: Receiver) -> None:
    watched("""
        import os, sys
        class Meta(type):
            def __getattribute__(cls, name):
                raise ZeroDivisionError(name)
            def __instancecheck__(cls, each):
                raise ZeroDivisionError
            def __subclasscheck__(cls, each):
                raise ZeroDivisionError
        class Liar(metaclass=Meta):
            @property
            def __class__(self):
                raise ZeroDivisionError
            def __fspath__(self):
                raise ZeroDivisionError
        for event in ("open", "os.remove", "socket.connect", "subprocess.Popen", "sqlite3.connect", "os.system"):
            sys.audit(event, Liar(), Liar(), Liar())
        open("x.txt", "w").close()
    """)
    assert pod.of("file_open", mode="write")


def test_a_stack_that_is_used_up_is_the_programs_own_affair(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import sys
        def deep(left):
            if left:
                return deep(left - 1)
            open("deep.txt", "a").close()
        outcomes = set()
        for left in range(sys.getrecursionlimit() - 60, sys.getrecursionlimit() + 1):
            try:
                deep(left)
            except RecursionError:
                outcomes.add("too deep")
            else:
                outcomes.add("opened")
        assert outcomes == {"opened", "too deep"}
    """)
    assert pod.of("file_open", path=str(work / "deep.txt"))


def test_files_opened_by_collection_and_signals_are_told(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import gc, signal, threading, time
        class Closing:
            def __del__(self):
                open("collected.txt", "a").close()
        def collect():
            for _ in range(200):
                one, two = Closing(), Closing()
                one.other, two.other = two, one
            gc.collect()
        signal.signal(signal.SIGALRM, lambda *_: open("signal.txt", "a").close())
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        threads = [threading.Thread(target=collect) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            open("main.txt", "a").close()
        for thread in threads:
            thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert sensor.flush(10)
    """)
    counts = {
        name: sum(event["count"] for event in pod.of("file_open", path=str(work / f"{name}.txt")))
        for name in ("collected", "main", "signal")
    }
    assert 1500 < counts["collected"] <= 1600  # what the collector does in the sensor's own thread is not told
    assert counts["main"] == 300
    assert counts["signal"] > 0


def test_an_interrupt_reaches_the_program(watched: Watched, pod: Receiver) -> None:
    watched("""
        import signal, time
        def interrupt(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        end = time.monotonic() + 10
        try:
            while time.monotonic() < end:
                open("x.txt", "a").close()
        except KeyboardInterrupt:
            pass
        else:
            raise SystemExit("it was swallowed")
    """)


def test_doings_of_exporters_are_not_the_programs(watched: Watched, pod: Receiver, work: Path) -> None:
    watched("""
        import threading
        from opentelemetry.instrumentation.utils import suppress_instrumentation
        def write(name):
            with suppress_instrumentation():
                open(name, "w").close()
        for name in ("OtelBatchSpanRecordProcessor", "aotel-envelopes", "worker"):
            thread = threading.Thread(target=write, args=(f"{name}.txt",), name=name)
            thread.start()
            thread.join()
        write("main.txt")
    """)
    assert {event["path"] for event in pod.events} == {str(work / "worker.txt"), str(work / "main.txt")}
