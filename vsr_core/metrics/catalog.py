"""The metrics by name, and what is needed to compute each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MissingPackageError
from .fidelity import image_metrics, psnr, ssim
from .measure import Score, against_reference, alone, warping
from .naturalness import load_niqe
from .perceptual import load_lpips


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One column of a table."""

    title: str
    decimals: int
    higher_is_better: bool
    load: Callable[[Path], Score]
    """Return the score; takes the folder of weights, raises MissingPackageError."""


def _psnr(folder: Path) -> Score:
    image_metrics()
    return against_reference(psnr)


def _ssim(folder: Path) -> Score:
    image_metrics()
    return against_reference(ssim)


def _lpips(folder: Path) -> Score:
    return against_reference(load_lpips(folder))


def _niqe(folder: Path) -> Score:
    return alone(load_niqe(folder))


def _warping(folder: Path) -> Score:
    return warping


METRICS: dict[str, Metric] = {
    "psnr": Metric(title="PSNR [dB]", decimals=2, higher_is_better=True, load=_psnr),
    "ssim": Metric(title="SSIM", decimals=4, higher_is_better=True, load=_ssim),
    "lpips": Metric(title="LPIPS", decimals=4, higher_is_better=False, load=_lpips),
    "niqe": Metric(title="NIQE", decimals=2, higher_is_better=False, load=_niqe),
    "ewarp": Metric(title="E*_warp [1e-3]", decimals=3, higher_is_better=False, load=_warping),
}


def load_scores(names: Sequence[str], folder: Path, *, all_required: bool) -> tuple[dict[str, Score], dict[str, str]]:
    """Return the scores of the named metrics that can be computed here, and why the others cannot.

    Raises MissingPackageError instead of leaving one out if `all_required`.
    """
    scores, missing = {}, {}
    for name in names:
        try:
            scores[name] = METRICS[name].load(folder)
        except MissingPackageError as error:
            if all_required:
                raise
            missing[name] = str(error)
    return scores, missing
