"""The DiT as the paper writes it, v(z_t, t, z_LR, c), and the features inside it."""

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from einops import rearrange
from torch import Tensor, nn

from ...architectures.duo_vsr.config import DuoVSRConfig
from ...architectures.duo_vsr.denoiser import predict_velocity

RESIDUAL = 0.5
"""Deviation of z_HR - z_LR that `latent_skip` goes by, where that of latents is 1: 0.5 ... 0.7 at the built-in size."""


class Velocity(nn.Module):
    """Predict v = eps - z_0 at any time. All latents are normalised."""

    def __init__(self, dit: nn.Module, config: DuoVSRConfig):
        super().__init__()
        self.dit, self.latent_skip = dit, config.latent_skip

    def forward(self, noisy: Tensor, t: Tensor, lr: Tensor, text: Tensor) -> Tensor:
        """Return v (N, C, F, H, W), float32, of z_t and z_LR (N, C, F, H, W) at `t` (N,) in 0..1.

        `text` is (1 or N, tokens, prompt_width).
        """
        predicted = predict_velocity(self.dit, torch.cat([noisy, lr], 1), t, text).float()
        return likely(noisy, t, lr) + predicted if self.latent_skip else predicted


def likely(noisy: Tensor, t: Tensor, lr: Tensor) -> Tensor:
    """Return the expected v (N, C, F, H, W) where z_0 - z_LR is normal noise of deviation RESIDUAL.

    At t = 1 that is z_t - z_LR, so that z_0 is z_LR minus what the DiT adds, as in `network.one_step`.
    """
    t = t.view(-1, 1, 1, 1, 1)
    share = (t - (1 - t) * RESIDUAL**2) / ((1 - t) ** 2 * RESIDUAL**2 + t**2)
    return share * (noisy - (1 - t) * lr) - lr


class Score(nn.Module):
    """A velocity together with what some of its transformer layers, numbered from 1, put out on the way."""

    def __init__(self, velocity: Velocity, layers: Sequence[int]):
        super().__init__()
        self.velocity, self.layers = velocity, tuple(layers)

    def forward(self, noisy: Tensor, t: Tensor, lr: Tensor, text: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return v and features (N, width, F, H / patch, W / patch), one for each of the layers."""
        tokens: list[Tensor] = []
        dit = self.velocity.dit
        with ExitStack() as hooks:
            for layer in self.layers:
                block = dit.blocks[layer - 1]
                hook = block.register_forward_hook(lambda module, inputs, output: tokens.append(output))
                hooks.callback(hook.remove)
            velocity = self.velocity(noisy, t, lr, text)
        frames, rows = noisy.shape[2], noisy.shape[3] // dit.config.patch_size[1]
        return velocity, [rearrange(each, "n (f h w) c -> n c f h w", f=frames, h=rows) for each in tokens]


def one_step(velocity: nn.Module, noise: Tensor, lr: Tensor, text: Tensor) -> Tensor:
    """Return z_0 = eps - v(eps, 1, z_LR, c) of noise and LR latents (N, C, F, H, W) (algorithm 1)."""
    return noise - velocity(noise, noise.new_ones(len(noise)), lr, text)
