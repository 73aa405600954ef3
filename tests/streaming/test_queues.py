"""Items pass between threads in order, few at a time, errors included."""

import threading
import time
from collections.abc import Iterator

import pytest

from vsr_core.streaming.queues import prefetched, written_behind


class Numbers:
    """Counts up to `stop`, then fails if asked to; remembers how far it got and that it was closed."""

    def __init__(self, stop: int, fails: bool = False):
        self.stop, self.fails, self.read, self.closed = stop, fails, 0, False

    def __iter__(self) -> Iterator[int]:
        try:
            for number in range(self.stop):
                self.read += 1
                yield number
            if self.fails:
                raise ValueError("mine")
        finally:
            self.closed = True


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


class TestPrefetched:
    def test_all_items_arrive_in_order(self):
        with prefetched(range(100), 3) as items:
            assert list(items) == list(range(100))

    def test_reading_runs_ahead_but_not_far(self):
        numbers = Numbers(100)
        with prefetched(numbers, 3) as items:
            next(items)
            while numbers.read < 5:
                time.sleep(0.01)
            time.sleep(0.3)
            assert numbers.read == 5

    def test_an_error_arrives_after_the_items_before_it(self):
        arrived = []
        with pytest.raises(ValueError, match="mine"), prefetched(Numbers(5, fails=True), 2) as items:
            for item in items:
                arrived.append(item)
        assert arrived == [0, 1, 2, 3, 4]

    def test_leaving_early_ends_the_thread_and_closes_the_source(self):
        numbers = Numbers(10**9)
        with pytest.raises(KeyboardInterrupt), prefetched(numbers, 2) as items:
            next(items)
            raise KeyboardInterrupt
        assert numbers.closed
        assert "read ahead" not in threads()


class TestWrittenBehind:
    def test_all_items_are_consumed_in_order_before_the_block_is_left(self):
        written = []

        def consume(items):
            for item in items:
                time.sleep(0.001)
                written.append(item)

        with written_behind(consume, 3) as write:
            for number in range(50):
                write(number)
        assert written == list(range(50))
        assert "write behind" not in threads()

    def test_an_error_of_the_consumer_ends_the_block(self):
        def consume(items):
            next(items)
            raise ValueError("mine")

        with pytest.raises(ValueError, match="mine"), written_behind(consume, 2) as write:
            for number in range(10**9):
                write(number)

    def test_an_error_at_the_very_end_is_not_lost(self):
        def consume(items):
            assert list(items) == [1]
            raise ValueError("mine")

        with pytest.raises(ValueError, match="mine"), written_behind(consume, 2) as write:
            write(1)

    def test_a_consumer_meets_the_error_of_the_block_after_what_came_before_it(self):
        met = []

        def consume(items):
            try:
                for item in items:
                    met.append(item)
            except KeyboardInterrupt as error:
                met.append(error)
                raise

        with pytest.raises(KeyboardInterrupt), written_behind(consume, 5) as write:
            write(1)
            write(2)
            raise KeyboardInterrupt
        assert met[:2] == [1, 2]
        assert isinstance(met[2], KeyboardInterrupt)
