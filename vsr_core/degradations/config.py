"""What the degradation pipeline may draw.

Defaults are those of RealBasicVSR (Chan et al. 2022), from its published training configuration in MMEditing.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from ..errors import SettingError

Range = tuple[float, float]
KernelKind = Literal["iso", "aniso", "generalized_iso", "generalized_aniso", "plateau_iso", "plateau_aniso", "sinc"]
ResizeMethod = Literal["area", "bilinear", "bicubic", "bicubic_antialiased"]
RateOption = Literal["bitrate", "crf", "qscale"]


@dataclass(frozen=True, kw_only=True)
class BlurConfig:
    """One random kernel per clip that drifts from frame to frame. Sigma is in pixels, angles in radians."""

    probability: float = 1.0
    sizes: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21)
    kinds: tuple[tuple[KernelKind, float], ...] = (
        ("iso", 0.405),
        ("aniso", 0.225),
        ("generalized_iso", 0.108),
        ("generalized_aniso", 0.027),
        ("plateau_iso", 0.108),
        ("plateau_aniso", 0.027),
        ("sinc", 0.1),
    )
    sigma: Range = (0.2, 3.0)
    sigma_step: float = 0.02
    angle: Range = (-3.1416, 3.1416)
    angle_step: float = 0.31416
    beta_generalized: Range = (0.5, 4.0)
    beta_generalized_step: float = 0.05
    beta_plateau: Range = (1.0, 2.0)
    beta_plateau_step: float = 0.1
    omega: Range = (1.0472, 3.1416)
    """Cut-off frequency of a sinc kernel, in radians per pixel."""
    omega_step: float = 0.0628


@dataclass(frozen=True, kw_only=True)
class ResizeConfig:
    """One random change of size per clip. The three modes are drawn with weights (up, down, keep)."""

    modes: tuple[float, float, float] = (0.2, 0.7, 0.1)
    scale: Range = (0.15, 1.5)
    methods: tuple[ResizeMethod, ...] = ("area", "bilinear", "bicubic")


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """Gaussian or Poisson noise, new in every frame. Sigma is in 1/255."""

    probability: float = 1.0
    gaussian: float = 0.5
    """Share of Gaussian noise; the rest is Poisson noise."""
    gray: float = 0.4
    """Share of noise that is the same in red, green and blue."""
    sigma: Range = (1.0, 30.0)
    sigma_step: float = 0.1
    poisson_scale: Range = (0.05, 3.0)
    poisson_scale_step: float = 0.005


@dataclass(frozen=True, kw_only=True)
class JpegConfig:
    """JPEG compression of every frame."""

    probability: float = 1.0
    quality: Range = (30.0, 95.0)
    quality_step: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A video encoder and how it is told what quality to reach: `option` is drawn from `values`."""

    name: str
    option: RateOption
    values: Range
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class CodecConfig:
    """Compression of the clip as a video."""

    probability: float = 1.0
    encoders: tuple[Encoder, ...] = (
        Encoder(name="libx264", option="bitrate", values=(1e4, 1e5), weight=2.0),
        Encoder(name="mpeg4", option="bitrate", values=(1e4, 1e5)),
    )
    """The paper draws among libx264, h264 and mpeg4; the first two are the same encoder."""


@dataclass(frozen=True, kw_only=True)
class OrderConfig:
    """One pass of blur, resize, noise, JPEG and video codec."""

    probability: float = 1.0
    blur: BlurConfig = field(default_factory=BlurConfig)
    resize: ResizeConfig = field(default_factory=ResizeConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    jpeg: JpegConfig = field(default_factory=JpegConfig)
    codec: CodecConfig = field(default_factory=CodecConfig)


@dataclass(frozen=True, kw_only=True)
class DegradationConfig:
    """The second-order pipeline; its second codec runs before or after the resize to the LR size."""

    scale: int = 4
    clean: float = 0.0
    """Share of clips that are only reduced, as by CLEAN."""
    first: OrderConfig = field(default_factory=OrderConfig)
    second: OrderConfig = OrderConfig(
        blur=BlurConfig(probability=0.8, sigma=(0.2, 1.5)),
        resize=ResizeConfig(modes=(0.3, 0.4, 0.3), scale=(0.3, 1.2)),
        noise=NoiseConfig(sigma=(1.0, 25.0), poisson_scale=(0.05, 2.5)),
    )
    final_methods: tuple[ResizeMethod, ...] = ("area", "bilinear", "bicubic")
    final_sinc: float = 0.8
    """Share of clips that get a last sinc filter."""

    def __post_init__(self):
        if self.scale < 1:
            raise SettingError(f"The degradation scale is {self.scale}; use 1 or more (4 for x4 models).")


PAPER = DegradationConfig()

_NO_CODEC = CodecConfig(probability=0.0)
REAL_ESRGAN = DegradationConfig(
    first=replace(PAPER.first, codec=_NO_CODEC), second=replace(PAPER.second, codec=_NO_CODEC)
)
"""What Real-ESRGAN (Wang et al. 2021) does to pictures, to which RealBasicVSR adds video codecs."""

_SMOOTH: tuple[ResizeMethod, ...] = ("area", "bicubic_antialiased")
_MILD_ENCODERS = (
    Encoder(name="libx264", option="crf", values=(18, 32), weight=4.0),
    Encoder(name="mpeg4", option="qscale", values=(2, 7)),
    Encoder(name="mpeg2video", option="qscale", values=(2, 7)),
)

LIGHT = DegradationConfig(
    first=OrderConfig(
        blur=BlurConfig(probability=0.7, sizes=(7, 9, 11), sigma=(0.2, 1.5)),
        resize=ResizeConfig(modes=(0.0, 0.6, 0.4), scale=(0.25, 1.0), methods=_SMOOTH),
        noise=NoiseConfig(probability=0.7, sigma=(1.0, 10.0), poisson_scale=(0.05, 1.0)),
        jpeg=JpegConfig(probability=0.5, quality=(50.0, 95.0)),
        codec=CodecConfig(probability=0.0),
    ),
    second=OrderConfig(
        blur=BlurConfig(probability=0.2, sizes=(7,), sigma=(0.2, 0.7)),
        resize=ResizeConfig(modes=(0.1, 0.0, 0.9), scale=(1.0, 1.2), methods=_SMOOTH),
        noise=NoiseConfig(probability=0.3, sigma=(1.0, 5.0), poisson_scale=(0.05, 0.5)),
        jpeg=JpegConfig(probability=0.3, quality=(60.0, 95.0)),
        codec=CodecConfig(probability=0.8, encoders=_MILD_ENCODERS),
    ),
    final_methods=_SMOOTH,
    final_sinc=0.1,
)
"""Visible but restorable: for models of a few million parameters."""

MIXED = replace(LIGHT, clean=0.25)
"""Teaches also what to do with an input that has no damage, of which LIGHT makes almost none."""

CLEAN = DegradationConfig(
    first=OrderConfig(probability=0.0),
    second=OrderConfig(probability=0.0),
    final_methods=("bicubic_antialiased",),
    final_sinc=0.0,
)
"""The classic bicubic reduction and nothing else."""
