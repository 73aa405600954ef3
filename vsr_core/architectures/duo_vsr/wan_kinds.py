"""Tell Wan2.1's DiT and VAE from their relatives and from other models, by names and shapes of the tensors."""

import re
from collections.abc import Collection, Mapping

from ...errors import CheckpointError
from .config import DuoVSRConfig

DIT_EXPECTED = "expected the DiT of Wan2.1-T2V-1.3B, or one of its size with twice as many input channels"
VAE_EXPECTED = "expected Wan2.1's VAE (Wan2.1_VAE.pth, wan_2.1_vae.safetensors, or the folder vae in diffusers' layout)"
SHOWN = 3
Shapes = Mapping[str, tuple[int, ...]]

WIDTHS = {1536: "Wan 1.3B", 3072: "Wan 2.2 TI2V 5B", 5120: "Wan 14B"}
"""Channels of a token, by model."""
INPUTS = {36: "an image-to-video Wan", 48: "a Wan with control inputs"}
"""Channels that the patch embedding reads."""
LAYERS = {40: "Wan 14B"}
"""Transformer blocks, where they tell the model."""
PARTS_OF_RELATIVES = {
    "an image-to-video Wan": ("img_emb.", ".k_img.", ".image_embedder.", ".add_k_proj."),
    "Wan VACE": ("vace_",),
    "a Wan with camera control": ("control_adapter.",),
    "Wan Animate": ("face_adapter.", "motion_encoder."),
    "a Wan driven by speech": ("audio_proj.", "audio_encoder."),
    "a Wan with reference images": ("ref_conv.",),
}
"""Parts of tensor names that only these have."""


def relative(names: Collection[str]) -> str | None:
    """Say which other Wan has DiT tensors of these names; None for Wan2.1-T2V-1.3B or if it takes shapes to tell."""
    for kind, parts in PARTS_OF_RELATIVES.items():
        if any(part in name for name in names for part in parts):
            return kind
    numbers = {int(found[1]) for name in names if (found := re.search(r"(?:^|\.)blocks\.(\d{1,4})\.", name))}
    return LAYERS.get(max(numbers, default=0) + 1)


def is_wan_dit(names: Collection[str]) -> bool:
    """Say whether tensors of these names are of some Wan's DiT, its own names or diffusers'."""
    own = any(".self_attn.norm_q." in name for name in names)
    return own or any(re.search(r"(^|\.)blocks\.\d+\.attn1\.norm_q\.", name) for name in names)


def is_wan_vae(names: Collection[str]) -> bool:
    """Say whether tensors of these names are of some Wan's VAE, its own names or diffusers'."""
    return any(name.endswith(("decoder.head.0.gamma", "decoder.norm_out.gamma")) for name in names)


def is_wan22_vae(names: Collection[str]) -> bool:
    """Say whether tensors of these names are of Wan 2.2's VAE of 48 channels, its own names or diffusers'."""
    parts = ("decoder.upsamples.0.upsamples.", "decoder.up_blocks.0.upsampler.")
    return any(part in name for name in names for part in parts)


def check_dit(shapes: Shapes, config: DuoVSRConfig, origin: str) -> None:
    """Raise CheckpointError unless DiT tensors of these shapes, without prefix, can be Wan2.1-T2V-1.3B's."""
    if not is_wan_dit(shapes):
        raise CheckpointError(f"{origin} {_not_a_dit(shapes)}; {DIT_EXPECTED}.")
    kind = relative(shapes)
    patch = shapes.get("patch_embedding.weight", ())
    if len(patch) == 5:
        (width, channels), own = patch[:2], config.latent_channels
        if width != config.width and width in WIDTHS:
            kind = f"{kind or WIDTHS[width]}, which has {width} channels per token instead of {config.width}"
        elif channels not in (own, 2 * own):
            kind = kind or INPUTS.get(channels, "another Wan")
            kind += f", which takes {channels} channels instead of {own} or {2 * own}"
    if kind:
        raise CheckpointError(f"{origin} is {kind}; {DIT_EXPECTED}.")


def check_vae(shapes: Shapes, config: DuoVSRConfig, origin: str) -> None:
    """Raise CheckpointError unless VAE tensors of these shapes, without prefix, can be Wan2.1's."""
    if not is_wan_vae(shapes):
        raise CheckpointError(f"{origin} {_not_a_vae(shapes)}; {VAE_EXPECTED}.")
    post = next((shapes[name] for name in ("conv2.weight", "post_quant_conv.weight") if name in shapes), ())
    channels = post[0] if post else config.latent_channels
    if is_wan22_vae(shapes):
        kind = "Wan 2.2's VAE" + (f" of {channels} latent channels" if post else "")
        raise CheckpointError(f"{origin} is {kind}; {VAE_EXPECTED}, of {config.latent_channels} latent channels.")
    if channels != config.latent_channels:
        raise CheckpointError(f"{origin} has {channels} latent channels, not {config.latent_channels}; {VAE_EXPECTED}.")


def some(names: Collection[str]) -> str:
    """Return a few of the names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(sorted(names)[:SHOWN]) + more


def _not_a_dit(shapes: Shapes) -> str:
    if any(".lora_" in name for name in shapes):
        return "is a LoRA without the model it changes: give that as --wan, and this as --lora"
    if is_wan_vae(shapes):
        return "is a Wan VAE: give it as --vae"
    return f"holds no Wan DiT ({some(shapes)})"


def _not_a_vae(shapes: Shapes) -> str:
    if is_wan_dit(shapes):
        return "is a Wan DiT: give it as --wan"
    first = shapes.get("decoder.conv_in.weight", ())
    if len(first) == 4:
        return f"is a VAE for single pictures, as Stable Diffusion's, of {first[1]} latent channels"
    if all(re.match(r"(taehv\.)?(encoder|decoder)\.\d+\.", name) for name in shapes):
        return "is a tiny autoencoder, which stands in for the decoder only"
    return f"holds no Wan VAE ({some(shapes)})"
