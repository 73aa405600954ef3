"""Names of Stable Diffusion's tensors in the original layout, and in diffusers' older one, to diffusers' own."""

from collections.abc import Iterator

from ...checkpoints.keys import by_beginning, to_ours
from .config import OSDiffVSRConfig

UNET, VAE = "model.diffusion_model.", "first_stage_model."
LEFT_OUT = (
    "cond_stage_model.",
    "conditioner.",
    "model_ema.",
    "denoiser.",
    "alphas_cumprod",
    "betas",
    "log_one_minus_alphas_cumprod",
    "posterior_",
    "sqrt_",
)
"""Beginnings of what else a whole checkpoint holds: text encoder, averaged copy of the UNet, noise schedule."""

UNET_ENDS = (
    ("input_blocks.0.0.", "conv_in."),
    ("time_embed.0.", "time_embedding.linear_1."),
    ("time_embed.2.", "time_embedding.linear_2."),
    ("middle_block.0.", "mid_block.resnets.0."),
    ("middle_block.1.", "mid_block.attentions.0."),
    ("middle_block.2.", "mid_block.resnets.1."),
    ("out.0.", "conv_norm_out."),
    ("out.2.", "conv_out."),
)
UNET_RESIDUAL = (
    (".in_layers.0.", ".norm1."),
    (".in_layers.2.", ".conv1."),
    (".emb_layers.1.", ".time_emb_proj."),
    (".out_layers.0.", ".norm2."),
    (".out_layers.3.", ".conv2."),
    (".skip_connection.", ".conv_shortcut."),
)
VAE_PARTS = (
    (".nin_shortcut.", ".conv_shortcut."),
    (".mid.block_1.", ".mid_block.resnets.0."),
    (".mid.block_2.", ".mid_block.resnets.1."),
    (".mid.attn_1.", ".mid_block.attentions.0."),
    (".norm_out.", ".conv_norm_out."),
)
VAE_ATTENTION = (
    (".attentions.0.norm.", ".attentions.0.group_norm."),
    *(
        (f".attentions.0.{published}.", f".attentions.0.{ours}.")
        for ours, names in {
            "to_q": ("q", "query"),
            "to_k": ("k", "key"),
            "to_v": ("v", "value"),
            "to_out.0": ("proj_out", "proj_attn"),
        }.items()
        for published in names
    ),
)


def unet_name(name: str, config: OSDiffVSRConfig) -> str:
    """Return diffusers' name of a UNet tensor of the original layout; names of no layout stay as they are."""
    table = [*UNET_ENDS, *_unet_down(config), *_unet_up(config)]
    return to_ours(by_beginning(name, table), UNET_RESIDUAL)


def vae_name(name: str, config: OSDiffVSRConfig) -> str:
    """Return diffusers' name of a VAE tensor of the original layout or of older diffusers."""
    return to_ours(by_beginning(name, list(_vae_blocks(config))), (*VAE_PARTS, *VAE_ATTENTION))


def _unet_down(config: OSDiffVSRConfig) -> Iterator[tuple[str, str]]:
    """Input block 0 is the first convolution; each level has its layers, then one block that halves the size."""
    for level, heads in enumerate(config.heads):
        first = 1 + level * (config.layers + 1)
        for layer in range(config.layers):
            yield f"input_blocks.{first + layer}.0.", f"down_blocks.{level}.resnets.{layer}."
            if heads:
                yield f"input_blocks.{first + layer}.1.", f"down_blocks.{level}.attentions.{layer}."
        yield f"input_blocks.{first + config.layers}.0.op.", f"down_blocks.{level}.downsamplers.0.conv."


def _unet_up(config: OSDiffVSRConfig) -> Iterator[tuple[str, str]]:
    """Each level, the deepest first, has a layer more; the last one also doubles the size."""
    for level, heads in enumerate(reversed(config.heads)):
        first = level * (config.layers + 1)
        for layer in range(config.layers + 1):
            yield f"output_blocks.{first + layer}.0.", f"up_blocks.{level}.resnets.{layer}."
            if heads:
                yield f"output_blocks.{first + layer}.1.", f"up_blocks.{level}.attentions.{layer}."
        upsampler = 2 if heads else 1
        yield f"output_blocks.{first + config.layers}.{upsampler}.conv.", f"up_blocks.{level}.upsamplers.0.conv."


def _vae_blocks(config: OSDiffVSRConfig) -> Iterator[tuple[str, str]]:
    """The original layout counts the decoder's levels from the largest picture, diffusers from the smallest."""
    levels = len(config.vae_channels)
    for level in range(levels):
        down, up = f"encoder.down.{level}.", f"decoder.up.{levels - 1 - level}."
        yield f"{down}block.", f"encoder.down_blocks.{level}.resnets."
        yield f"{down}downsample.", f"encoder.down_blocks.{level}.downsamplers.0."
        yield f"{up}block.", f"decoder.up_blocks.{level}.resnets."
        yield f"{up}upsample.", f"decoder.up_blocks.{level}.upsamplers.0."
