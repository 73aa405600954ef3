"""Preference pairs: of several restorations of one clip the best and the worst (supplementary, section 7.2)."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ...architectures.duo_vsr.network import DuoVSR
from ...errors import MissingPackageError
from ...metrics.catalog import METRICS, load_scores
from ...metrics.measure import REFERENCE, measure
from .draws import dice, normal
from .latents import Latents
from .velocity import Velocity, one_step

Rank = Callable[[Tensor, Tensor], Tensor]
"""Score candidates (K, T, 3, H, W), given the target (T, 3, H, W), both in 0..1: (K,), higher is better."""


class PreferencePairs(Dataset):
    """Pairs that a model makes of clips as they are asked for: item i depends on the model, `seed` and i alone.

    An item has the input `clip` (T, 3, H, W) in 0..1 and normalised latents (C, F, H / 2, W / 2): `z_lr` of the input,
    `better` and `worse` of two of its restorations.
    """

    def __init__(
        self,
        clips: Dataset,
        network: DuoVSR,
        ranks: Sequence[Rank],
        *,
        candidates: int = 5,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        """`clips` has pairs (LR, HR)."""
        self.clips, self.ranks, self.candidates, self.seed, self.device = clips, ranks, candidates, seed, device
        self.network = network.to(device).eval()

    def __len__(self) -> int:
        return len(self.clips)

    @torch.no_grad()
    def __getitem__(self, index: int) -> dict[str, Tensor]:
        clip, target = (frames.to(self.device) for frames in self.clips[index])
        latents = Latents(self.network)
        velocity = Velocity(self.network.dit, self.network.config)
        z_lr = latents.of_input(clip[None])
        own = dice(self.seed, [index])
        restored = [
            one_step(velocity, normal(z_lr, own), z_lr, self.network.prompt[None]) for _ in range(self.candidates)
        ]
        frames = torch.cat([latents.decode(each, clip[None]) for each in restored]).clamp(0, 1)
        better, worse = choose(torch.stack([rank(frames, target) for rank in self.ranks]))
        tensors = {"clip": clip, "z_lr": z_lr[0], "better": restored[better][0], "worse": restored[worse][0]}
        return {name: value.cpu() for name, value in tensors.items()}


def choose(scores: Tensor) -> tuple[int, int]:
    """Return the numbers of the best and the worst candidate by scores (metrics, candidates), higher is better.

    That scores are combined is stated, how is not: here by the sum of a candidate's places among the others, since
    the metrics' units differ. Of candidates with equal sums the first counts as the better.
    """
    above = (scores[:, :, None] > scores[:, None, :]).sum(2)
    below = (scores[:, :, None] < scores[:, None, :]).sum(2)
    order = (above - below).sum(0).argsort(descending=True, stable=True)
    return int(order[0]), int(order[-1])


def load_ranks(folder: Path, names: Sequence[str]) -> list[Rank]:
    """Return the metrics of these names of `METRICS`, with their weights in `folder`.

    Raises MissingPackageError if one is absent.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise MissingPackageError(
            f"Preference pairs are ranked by {', '.join(names)}; {', '.join(unknown)} is not among the metrics here "
            f"({', '.join(METRICS)})."
        )
    scores, _ = load_scores(names, folder, all_required=True)
    return [_by_metric(name, scores) for name in names]


def _by_metric(name: str, scores: Mapping[str, Callable]) -> Rank:
    sign = 1 if METRICS[name].higher_is_better else -1

    def rank(candidates: Tensor, target: Tensor) -> Tensor:
        rows = {**{str(number): clip.cpu() for number, clip in enumerate(candidates)}, REFERENCE: target.cpu()}
        moments = ({row: clip[frame] for row, clip in rows.items()} for frame in range(len(target)))
        result = measure("", moments, {name: scores[name]})
        return torch.tensor([sign * result.rows[str(number)][name] for number in range(len(candidates))])

    return rank


def closeness(candidates: Tensor, target: Tensor) -> Tensor:
    """Rank by the mean absolute error of pixels: stands in for LPIPS in tests, where there are no weights."""
    return -(candidates - target).abs().flatten(1).mean(1)


def sharpness(candidates: Tensor, target: Tensor) -> Tensor:
    """Rank by how near the strength of edges is to the target's: stands in for MUSIQ."""
    return -(_edges(candidates) - _edges(target[None])).abs()


def steadiness(candidates: Tensor, target: Tensor) -> Tensor:
    """Rank by how near changes from frame to frame are to the target's: stands in for DOVER."""
    return -(candidates.diff(dim=1) - target.diff(dim=0)).abs().flatten(1).mean(1)


def _edges(clips: Tensor) -> Tensor:
    return clips.diff(dim=-1).abs().flatten(1).mean(1) + clips.diff(dim=-2).abs().flatten(1).mean(1)


STAND_INS: tuple[Rank, ...] = (closeness, sharpness, steadiness)
