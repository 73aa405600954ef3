"""What the student learns from: decoder features of the teacher's frames."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ...architectures.adc_vsr.autoencoder import MiddleBlock
from ...architectures.adc_vsr.convert import translate_middle
from ...checkpoints.pickles import read_pickle
from ...checkpoints.strict import assign
from ...errors import CheckpointError


class TeacherFeatures(nn.Module):
    """The feature f of given frames: VAE encoder, then the half decoder's first convolution and middle block.

    As AdcSR's training does it (github.com/Guaishou74851/AdcSR, train.py); paper section 3.3. Frozen.
    """

    def __init__(self, *, vae: nn.Module, conv_in: nn.Conv2d, middle: MiddleBlock):
        """`vae` is a diffusers AutoencoderKL."""
        super().__init__()
        self.vae, self.conv_in, self.middle = vae, conv_in, middle
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, clip: Tensor) -> Tensor:
        """Map clips (B, T, 3, H, W) in -1..1 to (B, T, C, H / 8, W / 8)."""
        batch, frames = clip.shape[:2]
        latent = self.vae.encode(clip.flatten(0, 1)).latent_dist.mean
        feature = self.middle(self.conv_in(self.vae.post_quant_conv(latent)))
        return feature.unflatten(0, (batch, frames))


def load_teacher_features(vae: Path, half_decoder: Path) -> TeacherFeatures:
    """Load SD2.1's VAE (a diffusers folder) and AdcSR's half decoder. Raises CheckpointError."""
    from diffusers import AutoencoderKL

    tensors = {name.removeprefix("decoder."): value for name, value in read_pickle(half_decoder).items()}
    if "conv_in.weight" not in tensors:
        raise CheckpointError(f"{half_decoder} has no decoder.conv_in.weight; is it AdcSR's halfDecoder.ckpt?")
    channels, latent_channels = tensors["conv_in.weight"].shape[:2]
    with torch.device("meta"):
        conv_in = nn.Conv2d(latent_channels, channels, 3, padding=1)
        middle = MiddleBlock(channels, attention=True)
    first = {name: tensors[f"conv_in.{name}"] for name in ("weight", "bias")}
    assign(conv_in, first, "The half decoder's first convolution")
    assign(middle, translate_middle(tensors), "The half decoder's middle block")
    try:
        encoder = AutoencoderKL.from_pretrained(vae, local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{vae} is not a diffusers folder of SD2.1's VAE: {error}.") from error
    return TeacherFeatures(vae=encoder, conv_in=conv_in, middle=middle)
