"""Locks between processes that the system lets go by itself when their holder dies, however it dies."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def exclusively(path: Path, *, when_waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Run the block while nobody else is in one on the same file; wait for those who are."""
    with _open(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if when_waiting is not None:
                when_waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def hold_alone(path: Path) -> Iterator[bool]:
    """Yield True and keep others out for the length of the block, or yield False at once when somebody is in."""
    with _open(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def hold_shared(path: Path) -> IO[bytes]:
    """Be one of several holders, until the returned file is closed or the process ends."""
    lock = _open(path)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def is_held(path: Path) -> bool:
    """True when anybody holds a lock on the file."""
    with _open(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _open(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
