"""Stable Diffusion 2.1's UNet: one call predicts the noise of the one step."""

from torch import Tensor, nn

from ...packages import from_package
from .config import OSDiffVSRConfig


class Denoiser(nn.Module):
    """The UNet at one time step, with the prompt that is stored with the weights."""

    def __init__(self, unet: nn.Module, prompt: nn.Parameter, *, timestep: int):
        super().__init__()
        self.unet = unet
        self.prompt = prompt
        self.timestep = timestep

    def forward(self, latent: Tensor, text: Tensor | None = None) -> Tensor:
        """Return the noise in scaled latents (N, C, H, W), given a text embedding (1, tokens, prompt_width)."""
        return predict_noise(self.unet, latent, self.timestep, self.prompt[None] if text is None else text)


def predict_noise(unet: nn.Module, latent: Tensor, timestep: int, text: Tensor) -> Tensor:
    """Return the noise (N, C, H, W) that `unet` sees in `latent`; `text` is (1, tokens, prompt_width)."""
    text = text.expand(len(latent), -1, -1)
    return unet(latent, timestep, encoder_hidden_states=text, return_dict=False)[0]


def build_unet(config: OSDiffVSRConfig) -> nn.Module:
    """Build the UNet of `config` out of diffusers' class, under its tensor names."""
    UNet2DConditionModel = from_package("diffusers", "UNet2DConditionModel", "OS-DiffVSR")

    down = tuple("CrossAttnDownBlock2D" if heads else "DownBlock2D" for heads in config.heads)
    up = tuple("CrossAttnUpBlock2D" if heads else "UpBlock2D" for heads in reversed(config.heads))
    # diffusers takes numbers of heads under this name, and the middle block's from the last level.
    heads = tuple(heads or 1 for heads in config.heads[:-1]) + (config.middle_heads or 1,)
    return UNet2DConditionModel(
        in_channels=config.latent_channels,
        out_channels=config.latent_channels,
        block_out_channels=config.channels,
        layers_per_block=config.layers,
        down_block_types=down,
        mid_block_type="UNetMidBlock2DCrossAttn" if config.middle_heads else "UNetMidBlock2D",
        up_block_types=up,
        attention_head_dim=heads,
        cross_attention_dim=config.prompt_width,
        use_linear_projection=True,
        norm_num_groups=config.norm_groups,
    )
