"""Wan2.1's own names of what diffusers names differently, for the DiT and the VAE."""

from collections.abc import Iterator

from ...checkpoints.keys import by_beginning, to_ours
from .config import LEVELS, DuoVSRConfig

DIT_ENDS = (
    ("condition_embedder.time_embedder.linear_1.", "time_embedding.0."),
    ("condition_embedder.time_embedder.linear_2.", "time_embedding.2."),
    ("condition_embedder.text_embedder.linear_1.", "text_embedding.0."),
    ("condition_embedder.text_embedder.linear_2.", "text_embedding.2."),
    ("condition_embedder.time_proj.", "time_projection.1."),
    ("scale_shift_table", "head.modulation"),
    ("proj_out.", "head.head."),
)
DIT_BLOCK = (
    (".attn1.", ".self_attn."),
    (".attn2.", ".cross_attn."),
    (".to_q.", ".q."),
    (".to_k.", ".k."),
    (".to_v.", ".v."),
    (".to_out.0.", ".o."),
    (".norm2.", ".norm3."),
    (".ffn.net.0.proj.", ".ffn.0."),
    (".ffn.net.2.", ".ffn.2."),
    (".scale_shift_table", ".modulation"),
)
VAE_RESIDUAL = (
    (".norm1.", ".residual.0."),
    (".conv1.", ".residual.2."),
    (".norm2.", ".residual.3."),
    (".conv2.", ".residual.6."),
    (".conv_shortcut.", ".shortcut."),
)
VAE_ENDS = (
    ("quant_conv.", "conv1."),
    ("post_quant_conv.", "conv2."),
    *(
        (f"{half}.{ours}.", f"{half}.{official}.")
        for half in ("encoder", "decoder")
        for ours, official in (
            ("conv_in", "conv1"),
            ("mid_block.resnets.0", "middle.0"),
            ("mid_block.attentions.0", "middle.1"),
            ("mid_block.resnets.1", "middle.2"),
            ("norm_out", "head.0"),
            ("conv_out", "head.2"),
        )
    ),
    ("encoder.down_blocks.", "encoder.downsamples."),
)


def official_dit_name(name: str) -> str:
    """Return Wan2.1's name of a DiT tensor, given diffusers'."""
    return to_ours(name, DIT_BLOCK) if name.startswith("blocks.") else by_beginning(name, DIT_ENDS)


def official_vae_name(name: str, config: DuoVSRConfig) -> str:
    """Return Wan2.1's name of a VAE tensor, given diffusers'."""
    if ".mid_block.resnets." in name or "_blocks." in name:
        name = to_ours(name, VAE_RESIDUAL)
    return by_beginning(name, (*VAE_ENDS, *_up_blocks(config)))


def _up_blocks(config: DuoVSRConfig) -> Iterator[tuple[str, str]]:
    """Wan2.1 counts the decoder's residual and enlarging blocks in one row, diffusers per level."""
    row = 0
    for level in range(LEVELS):
        for layer in range(config.vae_layers + 1):
            yield f"decoder.up_blocks.{level}.resnets.{layer}.", f"decoder.upsamples.{row}."
            row += 1
        yield f"decoder.up_blocks.{level}.upsamplers.0.", f"decoder.upsamples.{row}."
        row += 1
