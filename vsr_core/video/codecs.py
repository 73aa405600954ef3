"""The codecs that frames can be written with: what holds them, how deep they are, how well they are encoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import SettingError, VideoError
from .info import VideoInfo

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov")
X26X_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
SVT_PRESETS = tuple(str(number) for number in range(14))


@dataclass(frozen=True, kw_only=True)
class Codec:
    """How one codec is used. The same frames give the same bytes on every machine: see `options`."""

    name: str
    encoder: str
    """FFmpeg's name of what encodes it."""
    suffixes: tuple[str, ...]
    """Endings of the files that can hold it; an empty one is a folder."""
    formats: Mapping[tuple[int, bool], str]
    """Pixel format by bits of a sample and whether it holds alpha."""
    largest_crf: int | None = None
    """crf goes from 0 (best) to here; None: it has no crf."""
    crf: int | None = None
    presets: tuple[str, ...] = ()
    preset: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    """Fixed options. The number of threads changes what x264 and x265 write, so it never depends on the machine."""
    multiple: int = 1
    """Height and width must be a multiple of this."""

    def pixel_format(self, bit_depth: int, alpha: bool) -> str:
        """Return the format that keeps `bit_depth` bits (else as many as it can) and, where it can, alpha."""
        alpha = alpha and self.keeps_alpha
        depths = sorted(bits for bits, with_alpha in self.formats if with_alpha == alpha)
        return self.formats[next((bits for bits in depths if bits >= bit_depth), depths[-1]), alpha]

    @property
    def keeps_alpha(self) -> bool:
        """Whether transparency can be stored."""
        return any(alpha for _, alpha in self.formats)


def _codecs(*codecs: Codec) -> dict[str, Codec]:
    return {codec.name: codec for codec in codecs}


CODECS = _codecs(
    Codec(
        name="h264",
        encoder="libx264",
        suffixes=VIDEO_SUFFIXES,
        formats={(8, False): "yuv420p"},  # 10-bit H.264 plays hardly anywhere
        largest_crf=51,
        crf=16,
        presets=X26X_PRESETS,
        preset="medium",
        options={"threads": "4", "x264-params": "cpu-independent=1"},
        multiple=2,
    ),
    Codec(
        name="hevc",
        encoder="libx265",
        suffixes=VIDEO_SUFFIXES,
        formats={(8, False): "yuv420p", (10, False): "yuv420p10le"},
        largest_crf=51,
        crf=18,
        presets=X26X_PRESETS,
        preset="medium",
        options={"x265-params": "log-level=error:frame-threads=3"},
        multiple=2,
    ),
    Codec(
        name="av1",
        encoder="libsvtav1",
        suffixes=(".mp4", ".mkv"),
        formats={(8, False): "yuv420p", (10, False): "yuv420p10le"},
        largest_crf=63,
        crf=20,
        presets=SVT_PRESETS,
        preset="6",
        multiple=2,
    ),
    Codec(
        name="prores",
        encoder="prores_ks",
        suffixes=(".mov", ".mkv"),
        formats={(10, False): "yuv422p10le", (10, True): "yuva444p10le"},
        multiple=2,
    ),
    Codec(
        name="ffv1",
        encoder="ffv1",
        suffixes=(".mkv",),
        formats={
            (bits, alpha): f"yuv{'a' * alpha}444p" + ("" if bits == 8 else f"{bits}le")
            for bits in (8, 10, 12, 16)
            for alpha in (False, True)
        },
        options={"level": "3", "slices": "4", "slicecrc": "1"},
    ),
    Codec(
        name="png",
        encoder="png",
        suffixes=("",),
        formats={(bits, alpha): "" for bits in (8, 16) for alpha in (False, True)},
    ),
)
"""Every codec by name. ProRes is 422 HQ, with alpha 4444; FFV1 is lossless; png is a folder of images."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How frames are encoded. None is what suits: see `resolved`."""

    codec: str | None = None
    """A name out of CODECS."""
    crf: int | None = None
    """0 lossless or nearly, larger is smaller and worse."""
    preset: str | None = None
    """Speed of the encoder, one of its presets."""

    def __post_init__(self):
        if self.codec is not None and self.codec not in CODECS:
            raise SettingError(f"There is no codec {self.codec!r}. Choose one of {', '.join(CODECS)}.")
        codec = CODECS[self.codec or "h264"]
        bad_crf = self.crf is not None and not 0 <= self.crf <= (-1 if codec.largest_crf is None else codec.largest_crf)
        if bad_crf or (self.preset is not None and self.preset not in codec.presets):
            raise SettingError(f"Quality is crf {self.crf}, preset {self.preset!r}; {_expected(codec)}.")

    def resolved(self, target: str | Path, source: VideoInfo | None = None) -> "Quality":
        """Return this with nothing left to choose, for writing `target` from `source`.

        An ending that holds a video gives h264, or prores where `source` has alpha and the ending holds it; no
        ending gives png. Raises VideoError for an unknown ending, or where the ending does not hold the codec.
        """
        suffix = suffix_of(target)
        name = self.codec or _usual(suffix, source is not None and source.has_alpha, self)
        codec = CODECS[name]
        if suffix not in codec.suffixes:
            fitting = ", ".join(ending or "no ending (a folder)" for ending in codec.suffixes)
            raise VideoError(f"{target} cannot hold {name}, which goes into {fitting}. Choose another codec or ending.")
        checked = replace(self, codec=name)
        return replace(checked, crf=_first(self.crf, codec.crf), preset=_first(self.preset, codec.preset))

    @property
    def segment_suffix(self) -> str:
        """How the name of a `segment_writer` file ends; empty for a folder of images."""
        return "" if self.codec == "png" else ".mkv"


def suffix_of(target: str | Path) -> str:
    """Return the ending of `target`, empty for a folder; raise VideoError if nothing can be written to it."""
    target = Path(target)
    suffix = target.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return suffix
    if suffix and not target.is_dir():
        raise VideoError(
            f"{target} ends in {suffix}; a video must end in {', '.join(VIDEO_SUFFIXES)}, "
            "a folder of images must have no ending."
        )
    return ""


def encoder_options(quality: Quality, pixel_format: str) -> dict[str, str]:
    """Return FFmpeg's options for a resolved `quality`."""
    codec = CODECS[quality.codec]
    chosen = {"crf": quality.crf, "preset": quality.preset}
    if codec.name == "prores":
        chosen["profile"] = "4444" if "a444" in pixel_format else "hq"
    return {**codec.options, **{name: str(value) for name, value in chosen.items() if value is not None}}


def _usual(suffix: str, alpha: bool, quality: Quality) -> str:
    if not suffix:
        return "png"
    asked = quality.crf is not None or quality.preset is not None
    return "prores" if alpha and not asked and suffix in CODECS["prores"].suffixes else "h264"


def _expected(codec: Codec) -> str:
    if codec.largest_crf is None:
        return f"{codec.name} takes neither"
    return f"expected crf 0..{codec.largest_crf} and a preset out of {', '.join(codec.presets)} for {codec.name}"


def _first(value, usual):
    return usual if value is None else value
