"""Where the running code came from: git commit, source file, installed distributions; once a process."""

from __future__ import annotations

import functools
import hashlib
import threading
from concurrent.futures import Future
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AttributeValue

# How long the end of a run waits for what is gathered in the background, in seconds.
_PATIENCE = 2.0


@functools.lru_cache(maxsize=64)
def provenance_of(source_file: str | None) -> Callable[[], dict[str, AttributeValue]]:
    """Start gathering what is known of a source file and this installation; the returned function hands it over."""
    gathered: Future[dict[str, AttributeValue]] = Future()

    def gather() -> None:
        try:
            gathered.set_result({**_source(source_file), **_distributions()})
        except Exception as error:  # noqa: BLE001 - a broken installation must not hurt the host
            gathered.set_exception(error)

    def result() -> dict[str, AttributeValue]:
        try:
            return gathered.result(_PATIENCE)
        except Exception:  # noqa: BLE001 - what is not known is left out
            return {}

    threading.Thread(target=gather, name="aotel-provenance", daemon=True).start()
    return result


def _source(source_file: str | None) -> dict[str, AttributeValue]:
    if source_file is None:
        return {}
    path = Path(source_file)
    found: dict[str, AttributeValue] = {names.AGENT_RUN_SOURCE_FILE: source_file}
    if path.is_file():
        found[names.AGENT_RUN_SOURCE_SHA256] = hashlib.sha256(path.read_bytes()).hexdigest()
    commit = git_commit(path.parent)
    if commit:
        found[names.AGENT_RUN_GIT_COMMIT] = commit
    return found


@functools.lru_cache(maxsize=1)
def _distributions() -> dict[str, AttributeValue]:
    installed = sorted({f"{found.name}=={found.version}" for found in metadata.distributions() if found.name})
    digest = hashlib.sha256("\n".join(installed).encode()).hexdigest()
    return {names.AGENT_RUN_DISTRIBUTIONS: installed, names.AGENT_RUN_DISTRIBUTIONS_SHA256: digest}


def git_commit(folder: Path) -> str | None:
    """Return the commit that is checked out around `folder`, read from git's own files, or None."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_file():  # a worktree or submodule says where its directory is
            git = place / git.read_text().partition("gitdir:")[2].strip()
        if (git / "HEAD").is_file():
            return _resolve_head(git)
    return None


def _resolve_head(git: Path) -> str | None:
    head = (git / "HEAD").read_text().strip()
    if not head.startswith("ref:"):
        return head or None
    reference = head.partition(":")[2].strip()
    common = git / "commondir"
    homes = [git, git / common.read_text().strip()] if common.is_file() else [git]
    for home in homes:
        if (home / reference).is_file():
            return (home / reference).read_text().strip()
        packed = home / "packed-refs"
        if packed.is_file():
            for line in packed.read_text().splitlines():
                commit, _, name = line.partition(" ")
                if name == reference:
                    return commit
    return None
