"""Turn the published AdcSR pickles into one file of ours."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints.keys import to_ours
from ...checkpoints.metadata import Metadata, config_to_json
from ...checkpoints.pickles import read_pickle
from ...checkpoints.strict import check_fit
from ...checkpoints.write import write_model
from ...errors import CheckpointError
from ..argument import Argument
from .config import PAPER, AdcVSRConfig
from .network import AdcVSR

ARGUMENTS = {
    "--adcsr": Argument("AdcSR network weights (net_params_200.pkl)"),
    "--decoder": Argument("AdcSR half decoder (halfDecoder.ckpt)"),
}
SOURCE = "AdcSR (github.com/Guaishou74851/AdcSR), without temporal blocks: frames are restored one by one"

SHARED = (
    (".to_out.0.", ".to_out."),
    (".conv_shortcut.", ".shortcut."),
    ("conv_norm_out.", "norm_out."),
)
TRANSFORMER = (
    (".transformer_blocks.0.norm1.", ".attention_norm."),
    (".transformer_blocks.0.norm3.", ".feed_forward_norm."),
    (".transformer_blocks.0.attn1.", ".attention."),
    (".transformer_blocks.0.ff.net.0.proj.", ".feed_forward.expand."),
    (".transformer_blocks.0.ff.net.2.", ".feed_forward.contract."),
)


def convert(
    *,
    adcsr: str | Path,
    decoder: str | Path,
    out: str | Path,
    dtype: torch.dtype = torch.float32,
    config: AdcVSRConfig = PAPER,
) -> Path:
    """Write the AdcSR network and half decoder as one model file. Raises CheckpointError if they do not fit."""
    config = image_config(config)
    tensors = translate(read_pickle(adcsr), read_pickle(decoder), config)
    with torch.device("meta"):
        network = AdcVSR(config)
    check_fit(network, {name: tuple(value.shape) for name, value in tensors.items()}, "The AdcSR weights")
    metadata = Metadata(
        architecture="adc_vsr",
        config=config_to_json(config),
        source=SOURCE,
        licence="AdcSR: Apache-2.0; grown from Stable Diffusion 2.1: CreativeML Open RAIL++-M",
    )
    return write_model(out, tensors, metadata, dtype=dtype)


def image_config(config: AdcVSRConfig) -> AdcVSRConfig:
    """Return `config` without temporal blocks: the image model AdcSR."""
    return replace(config, temporal=False)


def translate(network: Mapping[str, Tensor], decoder: Mapping[str, Tensor], config: AdcVSRConfig) -> dict[str, Tensor]:
    """Return the tensors of both published files under our names.

    The UNet's tensors appear twice in the network file; the Sequential's copies (`body.1.body.`) are left out, and
    so are the half decoder's unused conv_in and middle block.
    """
    tensors = {}
    for name, value in network.items():
        name = name.removeprefix("module.")
        if name.startswith("body.1.body."):
            continue
        if name.startswith("body.1."):
            tensors["denoiser." + _denoiser_name(name.removeprefix("body.1."), config)] = value
        elif name.startswith("body.2."):
            tensors["decoder.middle." + _middle_name(name.removeprefix("body.2."))] = value
        else:
            raise CheckpointError(f"{name} is no tensor of AdcSR's network. Is this net_params_*.pkl?")
    for name, value in decoder.items():
        if "decoder." not in name:
            continue
        name = name.replace("decoder.", "", 1)
        if name.startswith(("up_blocks.", "conv_norm_out.", "conv_out.")):
            tensors["decoder." + _decoder_name(name, config)] = value
    return tensors


def translate_middle(decoder: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a half decoder's own middle block under the names of our MiddleBlock."""
    prefix = "mid_block."
    parts = {name.removeprefix(prefix): value for name, value in decoder.items() if name.startswith(prefix)}
    return {_middle_name(name): value for name, value in parts.items()}


def _denoiser_name(name: str, config: AdcVSRConfig) -> str:
    table = [*TRANSFORMER, *SHARED]
    for part, ours in (("down_blocks", "down"), ("up_blocks", "up")):
        for level in range(len(config.channels)):
            block = f"{part}.{level}."
            table += [
                (f"{block}downsamplers.0.", f"downsample.{level}."),
                (f"{block}upsamplers.0.", f"upsample.{level}."),
            ]
            for index in range(config.layers + 1):
                table += [
                    (f"{block}resnets.{index}.", f"{ours}.{level}.{index}.residual."),
                    (f"{block}attentions.{index}.", f"{ours}.{level}.{index}.transformer."),
                ]
    table += [
        ("mid_block.resnets.0.", "middle.0.residual."),
        ("mid_block.attentions.0.", "middle.0.transformer."),
        ("mid_block.resnets.1.", "middle.1.residual."),
    ]
    return to_ours(name, table)


def _middle_name(name: str) -> str:
    table = (
        ("resnets.0.", "residual1."),
        ("resnets.1.", "residual2."),
        ("attentions.0.group_norm.", "attention.norm."),
        ("attentions.0.", "attention.attention."),
    )
    return to_ours(name, (*table, *SHARED))


def _decoder_name(name: str, config: AdcVSRConfig) -> str:
    table = [*SHARED]
    for level in range(len(config.decoder_channels)):
        table.append((f"up_blocks.{level}.upsamplers.0.", f"up.{level}.{config.decoder_layers}."))
        for index in range(config.decoder_layers):
            table.append((f"up_blocks.{level}.resnets.{index}.", f"up.{level}.{index}."))
    return to_ours(name, table)
