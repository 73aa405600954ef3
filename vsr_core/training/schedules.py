"""Learning rates over the steps of a run."""

import math


def halving(step: int, *, base: float, every: int) -> float:
    """Return `base` halved once per `every` steps."""
    return base * 0.5 ** (step // every)


def cosine(step: int, *, base: float, warmup: int, steps: int) -> float:
    """Return a linear rise over `warmup` steps, then half a cosine down to zero at `steps`."""
    if step < warmup:
        return warmed_up(step, base=base, warmup=warmup)
    return base * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def warmed_up(step: int, *, base: float, warmup: int) -> float:
    """Return `base` after a linear rise over `warmup` steps."""
    return base * min(1.0, (step + 1) / max(1, warmup))
