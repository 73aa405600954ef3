"""Do two things at once: read ahead in one thread, and write behind in another."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
POLL_SECONDS = 0.1
"""How long a full or empty queue may hide that the other side is gone."""


class Closed(Exception):
    """The other side of a pipe has gone."""


class Pipe(Generic[Item]):
    """A queue of at most `depth` items between two threads; either side may end it, with or without an error."""

    def __init__(self, depth: int):
        self._items: queue.Queue[Item] = queue.Queue(depth)
        self._ended, self._abandoned = threading.Event(), threading.Event()
        self._error: BaseException | None = None

    def put(self, item: Item) -> None:
        """Append an item, waiting for a place; raise Closed if nobody takes items any more."""
        while not self._abandoned.is_set():
            try:
                return self._items.put(item, timeout=POLL_SECONDS)
            except queue.Full:
                continue
        raise Closed

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more items come; whoever takes them meets `error` after the last one."""
        self._error = error
        self._ended.set()

    def abandon(self) -> None:
        """Say that no more items are taken."""
        self._abandoned.set()

    def __iter__(self) -> Iterator[Item]:
        while True:
            ended = self._ended.is_set()
            try:
                yield self._items.get(timeout=0 if ended else POLL_SECONDS)
            except queue.Empty:
                if ended:
                    break
        if self._error is not None:
            raise self._error


@contextmanager
def prefetched(items: Iterable[Item], depth: int) -> Iterator[Iterator[Item]]:
    """Yield an iterator over `items`, which a thread reads up to `depth` ahead.

    What `items` raises arrives after the items before it. Leaving the block ends the thread and closes `items`.
    """
    pipe: Pipe[Item] = Pipe(depth)

    def read() -> None:
        source = iter(items)
        try:
            for item in source:
                pipe.put(item)
            pipe.end()
        except Closed:
            pass
        except BaseException as error:
            pipe.end(error)
        finally:
            if hasattr(source, "close"):
                source.close()

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    try:  # an interrupt may come while the thread starts
        thread.start()
        yield iter(pipe)
    finally:
        pipe.abandon()
        _wait_for(thread)


@contextmanager
def written_behind(consume: Callable[[Iterator[Item]], None], depth: int) -> Iterator[Callable[[Item], None]]:
    """Yield a function that hands an item to `consume`, which runs in a thread, at most `depth` items behind.

    Leaving the block waits until everything is consumed. An error of `consume` is raised by the next call or there;
    if the block fails, `consume` gets its items up to there and then meets the block's error.
    """
    pipe: Pipe[Item] = Pipe(depth)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            consume(iter(pipe))
        except BaseException as error:
            failed.append(error)
        finally:
            pipe.abandon()

    thread = threading.Thread(target=write, name="write behind", daemon=True)
    try:
        thread.start()
        yield pipe.put
        pipe.end()
        thread.join()
    except Closed:
        pass
    except BaseException as error:
        pipe.end(error)
        raise
    finally:
        _wait_for(thread)
    if failed:
        raise failed[0]


def _wait_for(thread: threading.Thread) -> None:
    """Wait until a thread has ended that may never have started."""
    if thread.ident is not None:
        thread.join()
