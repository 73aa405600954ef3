"""Wan2.1's video DiT: one call predicts the velocity of the one step."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...packages import from_package
from .config import TIMESTEPS, DuoVSRConfig
from .temporal import RotaryPositions


class Denoiser(nn.Module):
    """The DiT at t = 1, with the prompt that is stored with the weights."""

    def __init__(self, dit: nn.Module, prompt: nn.Parameter):
        super().__init__()
        self.dit = dit
        self.prompt = prompt

    def forward(self, latent: Tensor, text: Tensor | None = None) -> Tensor:
        """Return the velocity (N, C, F, H, W) at noise and LR latent (N, 2 C, F, H, W), both normalised.

        `text` is a text embedding (1, tokens, prompt_width); None = the stored prompt.
        """
        text = self.prompt[None] if text is None else filled(text, len(self.prompt))
        return predict_velocity(self.dit, latent, torch.ones(len(latent), device=latent.device), text)


def predict_velocity(dit: nn.Module, latent: Tensor, t: Tensor, text: Tensor) -> Tensor:
    """Return v = eps - z_0 (N, C, F, H, W) of z_t and the LR latent (N, 2 C, F, H, W) at times `t` (N,) in 0..1.

    `text` is (1 or N, tokens, prompt_width).
    """
    text = text.expand(len(latent), -1, -1)
    return dit(latent, timestep=t * TIMESTEPS, encoder_hidden_states=text, return_dict=False)[0]


def filled(text: Tensor, tokens: int) -> Tensor:
    """Extend a text embedding (..., T, width) by rows of zeros to at least `tokens`, as Wan does."""
    return F.pad(text, (0, 0, 0, max(0, tokens - text.shape[-2])))


def build_dit(config: DuoVSRConfig) -> nn.Module:
    """Build the DiT of `config` out of diffusers' class, under its tensor names."""
    WanTransformer3DModel = from_package("diffusers", "WanTransformer3DModel", "DUO-VSR")

    dit = WanTransformer3DModel(
        patch_size=(1, config.patch, config.patch),
        num_attention_heads=config.heads,
        attention_head_dim=config.head_width,
        in_channels=2 * config.latent_channels,
        out_channels=config.latent_channels,
        text_dim=config.prompt_width,
        freq_dim=config.time_width,
        ffn_dim=config.ffn_width,
        num_layers=config.layers,
    )
    dit.rope = RotaryPositions(head_width=config.head_width, patch=config.patch)
    return dit
