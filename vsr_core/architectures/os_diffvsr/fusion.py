"""Multi-frame fusion behind the contract: which frames to encode, and how to join their latents."""

from torch import Tensor, nn

from ...contract import FusionSettings
from ...flow import Aligned
from .config import OSDiffVSRConfig
from .network import sources, triples
from .temporal import fuse, trusted


class LatentFusion:
    """Joins each frame's latent with its neighbours'. `settings` override the config's alignment, alpha and mu."""

    def __init__(self, attention: nn.Module, config: OSDiffVSRConfig):
        self.attention, self.config = attention, config

    def sources(self, clip: Tensor, aligned: Aligned, settings: FusionSettings) -> Tensor:
        return sources(clip, aligned, settings.alignment or self.config.alignment)

    def fuse(self, latent: Tensor, aligned: Aligned, settings: FusionSettings, noise: Tensor | None) -> Tensor:
        """Map means and standard deviations (N, 2 C, H, W) to one latent (n, C, H, W) per frame of `aligned`.

        H and W are those of the padded frames; flow and error are extended to them. The three latents of a frame take
        the same noise: independent noise would be averaged away.
        """
        config, (height, width) = self.config, latent.shape[-2:]
        latents = triples(latent, aligned, settings.alignment or config.alignment, config)
        latents, deviation = latents.chunk(2, 2)
        if noise is not None:
            latents = latents + deviation * noise.unsqueeze(1)
        mask = trusted(
            aligned,
            alpha=config.alpha if settings.alpha is None else settings.alpha,
            mu=config.mu if settings.mu is None else settings.mu,
            height=height,
            width=width,
            stride=config.latent_stride,
        )
        weights = self.attention(latents.to(next(self.attention.parameters())))
        return fuse(latents, weights.to(latents), mask)
