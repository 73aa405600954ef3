"""How large the result is to be."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

from torch import Tensor

from ..clip import resize_bicubic
from ..errors import SettingError
from ..video import VideoInfo

Resize = Literal["after", "before"]
RESIZES: tuple[Resize, ...] = get_args(Resize)


class OutputSize(NamedTuple):
    """Pixels, and the shape of a pixel that keeps the picture's shape on the screen exact."""

    height: int
    width: int
    sample_aspect_ratio: Fraction
    """Width of a shown pixel divided by its height."""
    input_height: int
    input_width: int
    """Size at which the model sees the frames."""


@dataclass(frozen=True, kw_only=True)
class TargetSize:
    """At most one of height, width and scale; none = all that the model gives."""

    height: int | None = None
    """Pixels; the width follows."""
    width: int | None = None
    """Pixels; the height follows."""
    scale: float | Fraction | None = None
    """Output pixels per input pixel."""
    resize: Resize = "after"
    """after: the model's result is resized, with antialiasing, which is best; before: the input is resized so that
    the model's result is just large enough, which is faster."""

    def __post_init__(self):
        """Raise SettingError for sizes that make no sense."""
        given = {name: getattr(self, name) for name in ("height", "width", "scale") if getattr(self, name) is not None}
        if len(given) > 1:
            raise SettingError(
                f"Target size has {' and '.join(given)}; give one of them, the others follow from the input's shape."
            )
        for name, value in given.items():
            if not value > 0:
                raise SettingError(f"Target {name} is {value}; use a number above 0.")
        if self.resize not in RESIZES:
            raise SettingError(f"Unknown time to resize {self.resize!r}; choose {' or '.join(RESIZES)}.")

    def output(self, source: VideoInfo, scale: int, *, multiple: int = 1) -> OutputSize:
        """Return the size for `source` and a model that enlarges by `scale`; the codec needs multiples of `multiple`.

        Raises SettingError for a height or width that is none.
        """
        factor = self._factor(source, scale)
        height, width = (_rounded(side * factor, multiple) for side in (source.height, source.width))
        if self.height is not None:
            height = _checked("height", self.height, multiple)
        if self.width is not None:
            width = _checked("width", self.width, multiple)
        shape = source.sample_aspect_ratio * Fraction(source.width * height, source.height * width)
        seen = source.height, source.width
        if self.resize == "before":
            seen = -(-height // scale), -(-width // scale)
        return OutputSize(height, width, shape, *seen)

    def _factor(self, source: VideoInfo, scale: int) -> Fraction:
        if self.height is not None:
            return Fraction(self.height, source.height)
        if self.width is not None:
            return Fraction(self.width, source.width)
        return Fraction(scale if self.scale is None else self.scale).limit_denominator(1_000_000)


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """Return a picture (C, H, W) in 0..1 at another size: bicubic, antialiased where it shrinks."""
    if tuple(image.shape[-2:]) == (height, width):
        return image
    return resize_bicubic(image[None], height, width)[0]


def _rounded(side: Fraction, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)


def _checked(name: str, side: int, multiple: int) -> int:
    if side % multiple:
        near = _rounded(Fraction(side), multiple)
        raise SettingError(f"Target {name} is {side}; this codec needs a multiple of {multiple}, such as {near}.")
    return side
