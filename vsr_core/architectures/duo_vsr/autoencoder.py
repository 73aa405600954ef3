"""The causal video autoencoder of Wan2.1: pictures in -1..1 to latents, an eighth in space and a quarter in time.

Tensor names and results are those of diffusers' AutoencoderKLWan. A shot may come in stretches: everything that a later
stretch needs of an earlier one is in the `Carry` handed along, so memory does not grow with the shot.
Differs from diffusers: several latent frames per call, see also `causal`; nearest-neighbour enlargement and the
convolution after it in one step; norm and activation in one pass over memory.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ...errors import ClipError
from .autoencoder_blocks import pointwise
from .autoencoder_network import Autoencoder
from .causal import Carry
from .config import DuoVSRConfig

TIME_DOWNSAMPLING = (False, True, True)
"""Whether a level that halves the size also halves the number of frames."""


class Encoder(nn.Module):
    """The encoding half of an autoencoder."""

    def __init__(self, vae: Autoencoder):
        super().__init__()
        self.encoder, self.quant_conv = vae.encoder, vae.quant_conv
        self.frames_per_latent, self.stride = vae.frames_per_latent, vae.stride

    def forward(self, pictures: Tensor, carry: Carry | None = None) -> Tensor:
        """Map pictures (N, 3, T, H, W) in -1..1 to the mean (N, C, T', H / 8, W / 8) of their latents.

        They are the next of the shot that `carry` has seen, which it keeps track of; None: a whole shot.
        Raises ClipError unless T is 4 k + 1 at the beginning of a shot and 4 k later, and H and W multiples of 8.
        """
        return video_of(list(self.stream(pictures, carry)))

    def stream(self, pictures: Tensor, carry: Carry | None = None) -> Iterator[Tensor]:
        """Yield the frames (N, C, H / 8, W / 8) of what `forward` returns, holding little more than the carry."""
        carry = Carry() if carry is None else carry
        self._check(pictures, begins=not carry)
        for frame in self.encoder(frames_of(pictures), carry):
            moments = pointwise(self.quant_conv, frame)
            yield channels_first(moments.chunk(2, dim=-1)[0])

    def _check(self, pictures: Tensor, *, begins: bool) -> None:
        frames, height, width = pictures.shape[2:]
        if frames < 1 or (frames - begins) % self.frames_per_latent:
            wanted = f"{self.frames_per_latent} k{' + 1' if begins else ''}"
            raise ClipError(f"The video encoder got {frames} frames and takes {wanted}. Repeat the last one.")
        if height % self.stride or width % self.stride:
            raise ClipError(
                f"The video encoder got pictures of {width}x{height} and takes multiples of {self.stride}. Pad them."
            )


class Decoder(nn.Module):
    """The decoding half of an autoencoder."""

    def __init__(self, vae: Autoencoder):
        super().__init__()
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, latent: Tensor, carry: Carry | None = None) -> Tensor:
        """Map latents (N, C, T, H, W) to pictures (N, 3, T', 8 H, 8 W), not clamped.

        They are the next of the shot that `carry` has seen, which it keeps track of; None: a whole shot.
        A shot's first latent is one picture, each of the others four.
        """
        return video_of(list(self.stream(latent, carry)))

    def stream(self, latent: Tensor, carry: Carry | None = None) -> Iterator[Tensor]:
        """Yield the frames (N, 3, 8 H, 8 W) of what `forward` returns, holding little more than the carry."""
        carry = Carry() if carry is None else carry
        frames = (pointwise(self.post_quant_conv, frame) for frame in frames_of(latent))
        return map(channels_first, self.decoder(frames, carry))


def build_autoencoder(config: DuoVSRConfig) -> Autoencoder:
    """Build the autoencoder of `config`."""
    return Autoencoder(
        base=config.vae_width,
        multipliers=config.vae_factors,
        blocks=config.vae_layers,
        latent_channels=config.latent_channels,
        time_downsampling=TIME_DOWNSAMPLING,
    )


def frames_of(video: Tensor) -> Iterator[Tensor]:
    """Yield the frames (N, H, W, C) of (N, C, T, H, W)."""
    return (frame.permute(0, 2, 3, 1).contiguous() for frame in video.unbind(2))


def video_of(frames: list[Tensor]) -> Tensor:
    """Join frames (N, C, H, W) to (N, C, T, H, W)."""
    return torch.stack(frames, 2)


def channels_first(frame: Tensor) -> Tensor:
    """Turn (N, H, W, C) into (N, C, H, W)."""
    return frame.permute(0, 3, 1, 2)
