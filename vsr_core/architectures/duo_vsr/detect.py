"""Recognise published files of this family by their tensor names."""

import re
from collections.abc import Collection

from .tiny_files import LAST as LAST_OF_TINY_DECODER
from .wan_kinds import is_wan22_vae, is_wan_dit, is_wan_vae, relative

HOW = "`python -m vsr_core convert duo_vsr --help`"
LORA = re.compile(r"[._](self_attn|cross_attn|ffn)[._]\w+\.(lora_|diff)|(^|\.)blocks\.\d+\.(attn[12]|ffn)\..+\.lora_")
"""Parts of a LoRA's names, in Wan's own or kohya's style and in diffusers'."""


def detect(names: Collection[str]) -> str | None:
    """Say what published file has these tensor names, and how to convert it; None if none of this family."""
    if any(LORA.search(name) for name in names):
        return f"a LoRA of a Wan without its base model; convert it together with Wan2.1-T2V-1.3B: {HOW}"
    if is_wan_dit(names):
        kind = relative(names)
        if kind:
            return f"the DiT of {kind}, which DUO-VSR cannot be made of; take Wan2.1-T2V-1.3B: {HOW}"
        return f"a Wan's DiT; convert it together with Wan2.1's VAE, if it is Wan2.1-T2V-1.3B: {HOW}"
    if is_wan22_vae(names):
        return f"Wan 2.2's VAE of 48 latent channels, which DUO-VSR cannot be made of; take Wan2.1's: {HOW}"
    if is_wan_vae(names):
        return f"Wan2.1's VAE without a DiT; convert both together: {HOW}"
    if LAST_OF_TINY_DECODER in names:
        return "a tiny decoder of videos without a model; keep it in models/vae_approx, to be chosen for decoding"
    return None
