"""How far frames are that go through several stages one after another."""

from collections.abc import Iterable

WEIGHTS = {"scan": 1}
"""Reading takes little time beside the stages of a network, which weigh `WEIGHT` each."""
WEIGHT = 20


class FrameCounter:
    """Counts the frames of a run; one that is through some of the stages counts in part."""

    def __init__(self, stages: Iterable[str]):
        """Take the names of the stages in their order."""
        self._done = dict.fromkeys(stages, 0)

    def __contains__(self, stage: str) -> bool:
        """Tell whether a stage is one that counts."""
        return stage in self._done

    def update(self, stage: str, done: int) -> float:
        """Note that `done` frames are through `stage`, and so through those before it; return how many count as done.

        What is returned never falls.
        """
        for each in self._done:
            self._done[each] = max(done, self._done[each])
            if each == stage:
                break
        weights = {each: WEIGHTS.get(each, WEIGHT) for each in self._done}
        return sum(weights[each] * frames for each, frames in self._done.items()) / sum(weights.values())
