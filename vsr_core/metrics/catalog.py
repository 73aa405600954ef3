"""The metrics by name, and what is needed to compute each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MissingPackageError
from .clip_iqa import load_clip_iqa
from .dists import dists_metric, load_dists
from .dover import load_dover
from .fidelity import image_metrics, psnr, ssim
from .measure import Score, WholeClip, against_reference, alone, of_whole_clips, warping
from .naturalness import load_niqe
from .no_reference import load_maniqa, load_musiq
from .perceptual import load_lpips


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One column of a table."""

    title: str
    decimals: int
    higher_is_better: bool
    load: Callable[[Path], Score | WholeClip]
    """Return the score; takes the folder of weights, raises MissingPackageError."""


def _psnr(folder: Path) -> Score:
    image_metrics()
    return against_reference(psnr)


def _ssim(folder: Path) -> Score:
    image_metrics()
    return against_reference(ssim)


def _lpips(folder: Path) -> Score:
    return against_reference(load_lpips(folder))


def _dists(folder: Path) -> Score:
    return against_reference(dists_metric(load_dists(folder)))


def _niqe(folder: Path) -> Score:
    return alone(load_niqe(folder))


def _musiq(folder: Path) -> Score:
    return alone(load_musiq(folder))


def _clip_iqa(folder: Path) -> Score:
    return alone(load_clip_iqa())


def _maniqa(folder: Path) -> Score:
    return alone(load_maniqa(folder))


def _dover(folder: Path) -> WholeClip:
    return of_whole_clips(load_dover(folder))


def _warping(folder: Path) -> Score:
    return warping


METRICS: dict[str, Metric] = {
    "psnr": Metric(title="PSNR [dB]", decimals=2, higher_is_better=True, load=_psnr),
    "ssim": Metric(title="SSIM", decimals=4, higher_is_better=True, load=_ssim),
    "lpips": Metric(title="LPIPS", decimals=4, higher_is_better=False, load=_lpips),
    "dists": Metric(title="DISTS", decimals=4, higher_is_better=False, load=_dists),
    "niqe": Metric(title="NIQE", decimals=2, higher_is_better=False, load=_niqe),
    "musiq": Metric(title="MUSIQ", decimals=2, higher_is_better=True, load=_musiq),
    "clipiqa": Metric(title="CLIP-IQA", decimals=4, higher_is_better=True, load=_clip_iqa),
    "maniqa": Metric(title="MANIQA", decimals=4, higher_is_better=True, load=_maniqa),
    "dover": Metric(title="DOVER", decimals=4, higher_is_better=True, load=_dover),
    "ewarp": Metric(title="E*_warp [1e-3]", decimals=3, higher_is_better=False, load=_warping),
}


Loaded = tuple[dict[str, Score | WholeClip], dict[str, str]]


def load_scores(names: Sequence[str], folder: Path, *, all_required: bool) -> Loaded:
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
