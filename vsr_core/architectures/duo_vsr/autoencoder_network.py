"""The network of Wan2.1's video autoencoder, named as in diffusers. It works on lists of frames, see `causal`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from torch import Tensor, nn

from .autoencoder_blocks import Downsample, MiddleBlock, ResidualBlock, RMSNorm, Upsample
from .causal import Carry, CausalConv, Frames, convolve_next, drained, in_stretches


class EncoderStack(nn.Module):
    """Frames (N, H, W, 3) to moments (N, H', W', 2 C); each level but the last ends in a `Downsample`."""

    def __init__(
        self, *, channels: int, base: int, multipliers: Sequence[int], blocks: int, time_downsampling: Sequence[bool]
    ):
        super().__init__()
        widths = [base * factor for factor in multipliers]
        self.conv_in = CausalConv(3, base, size=3)
        self.down_blocks = nn.ModuleList()
        for level, (before, width) in enumerate(zip([base, *widths], widths)):
            self.down_blocks.extend(ResidualBlock(width if i else before, width) for i in range(blocks))
            if level < len(widths) - 1:
                self.down_blocks.append(Downsample(width, in_time=time_downsampling[level]))
        self.level_length = blocks + 1
        self.mid_block = MiddleBlock(widths[-1])
        self.norm_out = RMSNorm(widths[-1])
        self.conv_out = CausalConv(widths[-1], 2 * channels, size=3)

    def forward(self, frames: Iterable[Tensor], carry: Carry) -> Iterator[Tensor]:
        """Yield what the next frames of a shot are encoded to."""
        levels = range(0, len(self.down_blocks), self.level_length)
        stages = [self._begun, *(partial(self._level, start) for start in levels), self._ended]
        return through(stages, frames, carry)

    def _begun(self, x: Frames, carry: Carry) -> Frames:
        return convolve_next(self.conv_in, drained(x), carry)

    def _level(self, start: int, x: Frames, carry: Carry) -> Frames:
        for block in self.down_blocks[start : start + self.level_length]:
            x = block(x, carry)
        return x

    def _ended(self, x: Frames, carry: Carry) -> Frames:
        x = self.mid_block(x, carry)
        return convolve_next(self.conv_out, self.norm_out.activated(x), carry)


class UpBlock(nn.Module):
    """One level of the decoder: residual blocks, then `Upsample` unless it is the last level."""

    def __init__(self, channels_in: int, channels_out: int, *, blocks: int, upsample: Upsample | None):
        super().__init__()
        self.resnets = nn.ModuleList(
            ResidualBlock(channels_out if i else channels_in, channels_out) for i in range(blocks)
        )
        self.upsamplers = nn.ModuleList([upsample]) if upsample else None

    def forward(self, x: Frames, carry: Carry) -> Frames:
        """Map frames (N, H, W, C_in) to (N, 2 H, 2 W, C_out / 2), or to (N, H, W, C_out) at the last level."""
        for block in self.resnets:
            x = block(x, carry)
        return self.upsamplers[0](x, carry) if self.upsamplers else x


class DecoderStack(nn.Module):
    """Latents (N, H, W, C) to frames (N, H', W', 3), not clamped."""

    def __init__(
        self, *, channels: int, base: int, multipliers: Sequence[int], blocks: int, time_upsampling: Sequence[bool]
    ):
        super().__init__()
        widths = [base * factor for factor in reversed(multipliers)]
        self.conv_in = CausalConv(channels, widths[0], size=3)
        self.mid_block = MiddleBlock(widths[0])
        self.up_blocks = nn.ModuleList()
        current = widths[0]
        for level, width in enumerate(widths):
            last = level == len(widths) - 1
            upsample = None if last else Upsample(width, in_time=time_upsampling[level])
            self.up_blocks.append(UpBlock(current, width, blocks=blocks + 1, upsample=upsample))
            current = width // 2
        self.norm_out = RMSNorm(widths[-1])
        self.conv_out = CausalConv(widths[-1], 3, size=3)

    def forward(self, frames: Iterable[Tensor], carry: Carry) -> Iterator[Tensor]:
        """Yield what the next latents of a shot are decoded to."""
        return through([self._begun, *self.up_blocks, self._ended], frames, carry)

    def _begun(self, x: Frames, carry: Carry) -> Frames:
        return self.mid_block(convolve_next(self.conv_in, drained(x), carry), carry)

    def _ended(self, x: Frames, carry: Carry) -> Frames:
        return convolve_next(self.conv_out, self.norm_out.activated(x), carry)


class Autoencoder(nn.Module):
    """Hold both halves under the tensor names of diffusers' AutoencoderKLWan; the defaults are Wan2.1's."""

    def __init__(
        self,
        *,
        base: int = 96,
        multipliers: Sequence[int] = (1, 2, 4, 4),
        blocks: int = 2,
        latent_channels: int = 16,
        time_downsampling: Sequence[bool] = (False, True, True),
    ):
        super().__init__()
        sizes = {"channels": latent_channels, "base": base, "multipliers": multipliers, "blocks": blocks}
        self.encoder = EncoderStack(**sizes, time_downsampling=time_downsampling)
        self.quant_conv = nn.Conv3d(2 * latent_channels, 2 * latent_channels, 1)
        self.post_quant_conv = nn.Conv3d(latent_channels, latent_channels, 1)
        self.decoder = DecoderStack(**sizes, time_upsampling=time_downsampling[::-1])
        self.frames_per_latent = 2 ** sum(time_downsampling)
        self.stride = 2 ** (len(multipliers) - 1)


def through(
    stages: Iterable[Callable[[Frames, Carry], Frames]], frames: Iterable[Tensor], carry: Carry
) -> Iterator[Tensor]:
    """Yield `frames` after all `stages`, each of which works on as many at once as suits their size."""
    stream, begins = iter(frames), not carry
    for stage in stages:
        stream = in_stretches(partial(stage, carry=carry), stream, begins=begins)
    return stream
