"""AdcSR's published tensor names and files, made from a network of ours."""

import re
from pathlib import Path

import torch
from torch import Tensor

from vsr_core.architectures.adc_vsr.network import AdcVSR

SHARED = ((r"\.to_out\.", ".to_out.0."), (r"\.shortcut\.", ".conv_shortcut."), (r"\bnorm_out\.", "conv_norm_out."))
DENOISER = (
    (r"^denoiser\.", "body.1."),
    (r"\.(down|up)\.(\d+)\.(\d+)\.residual\.", r".\1_blocks.\2.resnets.\3."),
    (r"\.(down|up)\.(\d+)\.(\d+)\.transformer\.", r".\1_blocks.\2.attentions.\3."),
    (r"\.(down|up)sample\.(\d+)\.", r".\1_blocks.\2.\1samplers.0."),
    (r"\.middle\.(\d+)\.residual\.", r".mid_block.resnets.\1."),
    (r"\.middle\.0\.transformer\.", ".mid_block.attentions.0."),
    (r"\.attention_norm\.", ".transformer_blocks.0.norm1."),
    (r"\.feed_forward_norm\.", ".transformer_blocks.0.norm3."),
    (r"\.attention\.", ".transformer_blocks.0.attn1."),
    (r"\.feed_forward\.expand\.", ".transformer_blocks.0.ff.net.0.proj."),
    (r"\.feed_forward\.contract\.", ".transformer_blocks.0.ff.net.2."),
)
MIDDLE = (
    (r"^decoder\.middle\.", "body.2."),
    (r"\.residual1\.", ".resnets.0."),
    (r"\.residual2\.", ".resnets.1."),
    (r"\.attention\.norm\.", ".attentions.0.group_norm."),
    (r"\.attention\.attention\.", ".attentions.0."),
)


def published_name(name: str, network: AdcVSR) -> str:
    """Return AdcSR's name of a tensor of `network`: `body....` in the network file, else in the half decoder."""
    if name.startswith("denoiser."):
        return _replaced(name, (*DENOISER, *SHARED))
    if name.startswith("decoder.middle."):
        return _replaced(name, (*MIDDLE, *SHARED))
    upsample = network.config.decoder_layers
    table = (
        (r"^decoder\.", ""),
        (rf"^up\.(\d+)\.{upsample}\.", r"up_blocks.\1.upsamplers.0."),
        (r"^up\.(\d+)\.(\d+)\.", r"up_blocks.\1.resnets.\2."),
    )
    return _replaced(name, (*table, *SHARED))


def published_tensors(network: AdcVSR) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the tensors of both files, with the copies and the unused tensors that AdcSR's files have."""
    named = {published_name(name, network): value for name, value in network.state_dict().items()}
    body = {name: value for name, value in named.items() if name.startswith("body.")}
    tail = {f"decoder.{name}": value for name, value in named.items() if not name.startswith("body.")}
    copies = {f"body.1.body.{number}.weight": value + 1 for number, value in enumerate(body.values())}
    unused = {"decoder.conv_in.weight": torch.zeros(1), "decoder.mid_block.resnets.0.conv1.bias": torch.zeros(1)}
    return {f"module.{name}": value for name, value in {**copies, **body}.items()}, {**tail, **unused}


def write_published(folder: Path, network: AdcVSR) -> dict[str, Path]:
    """Write both files into `folder` as AdcSR publishes them; return the arguments for `convert`."""
    body, tail = published_tensors(network)
    files = {"adcsr": folder / "net_params.pkl", "decoder": folder / "halfDecoder.ckpt"}
    torch.save(body, files["adcsr"], _use_new_zipfile_serialization=False)
    torch.save({"state_dict": tail, "epoch": 3}, files["decoder"])
    return files


def _replaced(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name
