"""Latent frames stand for groups of frames; the first of a shot stands for its first frame alone."""


def frames_of(latents: int, group: int, *, start: bool) -> int:
    """Return the frames that `latents` latent frames stand for; `start`: they begin a shot."""
    return group * latents - (group - 1 if start and latents else 0)


def latents_of(frames: int, group: int, *, start: bool) -> int:
    """Return the latent frames that `frames` frames need; the last one may be in want of frames."""
    return -(-(frames + (group - 1 if start and frames else 0)) // group)
