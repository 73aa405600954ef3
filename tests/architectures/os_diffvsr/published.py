"""Stable Diffusion's and OSEDiff's published names and files, made from a network of ours."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vsr_core.architectures.os_diffvsr.config import TINY, OSDiffVSRConfig
from vsr_core.architectures.os_diffvsr.network import OSDiffVSR

ADAPTERS = (("up_blocks.", "default_decoder"), ("conv_out", "default_decoder"), ("mid_block.", "default_others"))
LEFT_OUT = (
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "betas",
    "cond_stage_model.model.ln_final.weight",
    "conditioner.embedders.0.model.ln_final.weight",
    "denoiser.sigmas",
    "log_one_minus_alphas_cumprod",
    "model_ema.decay",
    "model_ema.diffusion_modelout2bias",
    "model_ema.num_updates",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "posterior_variance",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
)
"""What checkpoints hold beside UNet and VAE."""
RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
MIDDLE = {"resnets.0": "middle_block.0", "attentions.0": "middle_block.1", "resnets.1": "middle_block.2"}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
OLD_VAE_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def original_unet_name(name: str, config: OSDiffVSRConfig) -> str:
    """Return the name that the original code gives to the UNet tensor which diffusers calls `name`."""
    module, kind = name.rsplit(".", 1)
    if module in TOP:
        return f"{TOP[module]}.{kind}"
    if found := re.fullmatch(r"mid_block\.(\w+\.\d)\.(.+)", name):
        return f"{MIDDLE[found[1]]}.{_inside(found[2])}"
    side, level, part, index, rest = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.+)", name).groups()
    blocks = [(lv, i) for lv in range(len(config.heads)) for i in range(config.layers + 1)]
    if side == "down":
        index = config.layers if part == "downsamplers" else int(index)
        place = f"input_blocks.{1 + blocks.index((int(level), index))}"
        return f"{place}.0.{rest.replace('conv', 'op')}" if part == "downsamplers" else f"{place}.{_column(part, rest)}"
    if part == "upsamplers":
        column = 2 if config.heads[::-1][int(level)] else 1
        return f"output_blocks.{blocks.index((int(level), config.layers))}.{column}.{rest}"
    return f"output_blocks.{blocks.index((int(level), int(index)))}.{_column(part, rest)}"


def original_vae_name(name: str, config: OSDiffVSRConfig) -> str:
    """Return the name that the original code gives to the VAE tensor which diffusers calls `name`."""
    levels = len(config.vae_channels)
    name = re.sub(r"^encoder\.down_blocks\.", "encoder.down.", name)
    name = re.sub(r"^decoder\.up_blocks\.(\d)", lambda found: f"decoder.up.{levels - 1 - int(found[1])}", name)
    name = (
        name.replace(".resnets.", ".block.").replace("samplers.0.", "sample.").replace("conv_shortcut", "nin_shortcut")
    )
    name = name.replace("mid_block.block.0", "mid.block_1").replace("mid_block.block.1", "mid.block_2")
    if ".attentions.0." in name:
        return _with(name.replace("mid_block.attentions.0", "mid.attn_1"), VAE_ATTENTION)
    return name.replace("conv_norm_out", "norm_out")


def original_tensors(network: OSDiffVSR) -> dict[str, Tensor]:
    """Return the tensors of a whole checkpoint in the original layout, with what else such a file holds."""
    config = network.config
    unet = {original_unet_name(name, config): value for name, value in network.unet.state_dict().items()}
    vae = {original_vae_name(name, config): value for name, value in network.vae.state_dict().items()}
    vae = {
        name: value[..., None, None] if ".attn_1." in name and value.ndim == 2 else value for name, value in vae.items()
    }
    return {
        **{f"model.diffusion_model.{name}": value.contiguous() for name, value in unet.items()},
        **{f"first_stage_model.{name}": value.contiguous() for name, value in vae.items()},
        **{name: torch.ones(3) for name in LEFT_OUT},
    }


def write_folder(folder: Path, network: OSDiffVSR, **options) -> Path:
    """Write the network's UNet and VAE as diffusers does; `options` go to its `save_pretrained`."""
    for part in ("unet", "vae"):
        getattr(network, part).save_pretrained(folder / part, **options)
    return folder


def old_vae(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a VAE's tensors under the names that diffusers used before version 0.17."""
    return {_with(name, OLD_VAE_ATTENTION) if ".attentions." in name else name: v for name, v in tensors.items()}


def trained_modules(network: OSDiffVSR) -> tuple[list[str], list[str]]:
    """Return the UNet's and VAE's modules that OSEDiff puts LoRA on."""
    unet = [name for name in _weighted(network.unet) if not name.startswith("time_emb") and "time_emb_proj" not in name]
    vae = [name for name in _weighted(network.vae) if name.startswith(("encoder.", "quant_conv"))]
    return unet, vae


def osediff(network: OSDiffVSR, *, rank: int = 4, seed: int = 1) -> dict:
    """Return the content of osediff.pkl for `network`: LoRA with random numbers, and a conv_in of its own."""
    generator = torch.Generator().manual_seed(seed)
    unet, vae = trained_modules(network)
    states = [_lora(part, names, rank, generator) for part, names in ((network.unet, unet), (network.vae, vae))]
    for kind, value in network.unet.conv_in.state_dict().items():
        states[0][f"conv_in.base_layer.{kind}"] = torch.randn(value.shape, generator=generator) * 0.1
    return {
        "vae_lora_encoder_modules": [*vae, *vae[:2]],
        "unet_lora_encoder_modules": [name for name in unet if _adapter(name) == "default_encoder"],
        "unet_lora_decoder_modules": [name for name in unet if _adapter(name) == "default_decoder"],
        "unet_lora_others_modules": [name for name in unet if _adapter(name) == "default_others"],
        "rank_unet": rank,
        "rank_vae": rank,
        "state_dict_unet": states[0],
        "state_dict_vae": states[1],
    }


def with_lora(base: Mapping[str, Tensor], lora: Mapping[str, Tensor], rank: int) -> dict[str, Tensor]:
    """Return `base` as OSEDiff computes with it: W + 8 / rank B A, and trained base layers instead of its own."""
    merged = dict(base)
    merged |= {name.replace(".base_layer", ""): value for name, value in lora.items() if ".base_layer." in name}
    for name, a in lora.items():
        if found := re.fullmatch(r"(.+)\.lora_A\.(\w+)\.weight", name):
            b = lora[f"{found[1]}.lora_B.{found[2]}.weight"]
            weight = merged[f"{found[1]}.weight"]
            merged[f"{found[1]}.weight"] = weight + 8 / rank * (b.flatten(1) @ a.flatten(1)).view(weight.shape)
    return merged


def write_prompt(path: Path, config: OSDiffVSRConfig, seed: int = 2) -> Path:
    """Write a random prompt embedding of the right size."""
    generator = torch.Generator().manual_seed(seed)
    save_file({"prompt": torch.randn(config.prompt_tokens, config.prompt_width, generator=generator)}, path)
    return path


def tiny_network(seed: int = 0) -> OSDiffVSR:
    """Return a TINY network with random weights."""
    torch.manual_seed(seed)
    return OSDiffVSR(TINY).eval().requires_grad_(False)


def write_published(folder: Path, network: OSDiffVSR) -> dict[str, Path]:
    """Write everything that is converted; return the arguments for `convert`."""
    torch.save(osediff(network), folder / "osediff.pkl")
    return {
        "sd21": write_folder(folder / "sd21", network),
        "osediff": folder / "osediff.pkl",
        "prompt_embeds": write_prompt(folder / "prompt.safetensors", network.config),
    }


def _weighted(module: nn.Module) -> Iterable[str]:
    return (name.removesuffix(".weight") for name, value in module.named_parameters() if value.ndim > 1)


def _adapter(name: str) -> str:
    return next((adapter for start, adapter in ADAPTERS if name.startswith(start)), "default_encoder")


def _lora(module: nn.Module, names: list[str], rank: int, generator: torch.Generator) -> dict[str, Tensor]:
    found = {}
    for name in names:
        adapter = _adapter(name) if not name.startswith(("encoder.", "quant_conv")) else "default_encoder"
        outputs, *inputs = module.get_submodule(name).weight.shape
        tail = (1,) * (len(inputs) - 1)
        for letter, shape in (("A", (rank, *inputs)), ("B", (outputs, rank, *tail))):
            found[f"{name}.lora_{letter}.{adapter}.weight"] = torch.randn(shape, generator=generator) * 0.1
    return found


def _column(part: str, rest: str) -> str:
    return f"{0 if part == 'resnets' else 1}.{_inside(rest)}"


def _inside(rest: str) -> str:
    first, *others = rest.split(".")
    return ".".join([RESIDUAL.get(first, first), *others])


def _with(name: str, table: Mapping[str, str]) -> str:
    for ours, published in table.items():
        name = name.replace(f".{ours}.", f".{published}.")
    return name
