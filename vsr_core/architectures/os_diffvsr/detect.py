"""Recognise published files of this family by their tensor names."""

from collections.abc import Collection

HOW = "`python -m vsr_core convert os_diffvsr --help`"
BASE = "convert it together with osediff.pkl, if it is version 2.1 base"


def detect(names: Collection[str]) -> str | None:
    """Say what published file has these tensor names, and how to convert it; None if none of this family."""
    if any(".lora_A.default_" in name for name in names):
        return f"an OSEDiff LoRA without its base model; convert it together with Stable Diffusion 2.1 base: {HOW}"
    if any(name.startswith("model.diffusion_model.input_blocks.") for name in names):
        return f"a Stable Diffusion checkpoint; {BASE}: {HOW}"
    if any(name.startswith("down_blocks.") and ".attn2." in name for name in names):
        return f"Stable Diffusion's UNet without its VAE; {BASE} (the whole file, or the folder of both): {HOW}"
    if {"encoder.conv_norm_out.weight", "decoder.conv_in.weight", "quant_conv.weight"} <= set(names):
        return f"Stable Diffusion's VAE without its UNet; {BASE} (the whole file, or the folder of both): {HOW}"
    return None
