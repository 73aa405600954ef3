"""Wan2.1's published names and files, made from a network of ours."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from vsr_core.architectures.duo_vsr.config import PAPER, TINY, DuoVSRConfig
from vsr_core.architectures.duo_vsr.network import DuoVSR
from vsr_core.architectures.duo_vsr.wan_keys import official_dit_name, official_vae_name

_LISTED = json.loads((Path(__file__).parents[2] / "data" / "wan21_keys.json").read_text())
OFFICIAL = {
    "dit": {
        **_LISTED["dit"],
        **{f"blocks.{n}.{name}": shape for n in range(PAPER.layers) for name, shape in _LISTED["block"].items()},
    },
    "vae": _LISTED["vae"],
}
"""Names and shapes of the published tensors of Wan2.1-T2V-1.3B and its VAE."""
STYLES = ("official", "diffusers", "model.diffusion_model.", "diffusion_model.", "diffusers under a prefix")
"""How the names of DiT files are spelled."""
WEIGHTS = "diffusion_pytorch_model.safetensors"


def tiny_network(config: DuoVSRConfig = TINY, seed: int = 0) -> DuoVSR:
    """Return a small network with random weights."""
    torch.manual_seed(seed)
    return DuoVSR(config).eval().requires_grad_(False)


def dit_tensors(network: DuoVSR, style: str = "official", channels: int | None = None) -> dict[str, Tensor]:
    """Return the DiT's tensors under the names of `style`; `channels` = how many of the inputs to keep."""
    tensors = dict(network.dit.state_dict())
    tensors["patch_embedding.weight"] = tensors["patch_embedding.weight"][:, :channels].clone()
    if style == "diffusers":
        return tensors
    if style == "diffusers under a prefix":
        return {f"model.diffusion_model.{name}": value for name, value in tensors.items()}
    prefix = "" if style == "official" else style
    return {prefix + official_dit_name(name): value for name, value in tensors.items()}


def vae_tensors(network: DuoVSR, style: str = "official") -> dict[str, Tensor]:
    """Return the VAE's tensors under Wan's own names, or diffusers', or Wan's after a prefix."""
    tensors = network.vae.state_dict()
    if style == "diffusers":
        return dict(tensors)
    prefix = "" if style == "official" else style
    return {prefix + official_vae_name(name, network.config): value for name, value in tensors.items()}


def write_folder(folder: Path, part: str, tensors: Mapping[str, Tensor], shards: int = 1) -> Path:
    """Write a part of a pipeline as diffusers does; several `shards` with an index."""
    (folder / part).mkdir(parents=True, exist_ok=True)
    if shards == 1:
        save_file(dict(tensors), folder / part / WEIGHTS)
        return folder
    places = {}
    for number in range(shards):
        file = f"diffusion_pytorch_model-{number + 1:05}-of-{shards:05}.safetensors"
        names = list(tensors)[number::shards]
        save_file({name: tensors[name] for name in names}, folder / part / file)
        places |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (folder / part / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    return folder


def lora(network: DuoVSR, *, rank: int = 2, seed: int = 1) -> dict[str, Tensor]:
    """Return peft's tensors of a LoRA on the attention and feed-forward layers, with random numbers."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for module in lora_modules(network):
        outputs, inputs = network.dit.get_submodule(module).weight.shape
        found[f"{module}.lora_A.weight"] = torch.randn(rank, inputs, generator=generator) * 0.2
        found[f"{module}.lora_B.weight"] = torch.randn(outputs, rank, generator=generator) * 0.2
    return found


def lora_modules(network: DuoVSR) -> Iterator[str]:
    """Return the modules that `lora` changes."""
    weights = (name for name in network.dit.state_dict() if name.startswith("blocks.") and name.endswith(".weight"))
    return (name.removesuffix(".weight") for name in weights if ".norm" not in name)


def with_lora(base: Mapping[str, Tensor], lora: Mapping[str, Tensor], scaling: float = 1.0) -> dict[str, Tensor]:
    """Return the DiT's tensors W + scaling * B A."""
    merged = dict(base)
    for name, down in lora.items():
        if name.endswith(".lora_A.weight"):
            module = name.removesuffix(".lora_A.weight")
            merged[f"{module}.weight"] = base[f"{module}.weight"] + scaling * lora[f"{module}.lora_B.weight"] @ down
    return merged


def write_prompt(path: Path, config: DuoVSRConfig, tokens: int | None = None, seed: int = 2) -> Path:
    """Write a random prompt embedding, of all tokens or of some."""
    generator = torch.Generator().manual_seed(seed)
    save_file({"prompt": torch.randn(tokens or config.prompt_tokens, config.prompt_width, generator=generator)}, path)
    return path


def write_published(folder: Path, network: DuoVSR) -> dict[str, Path]:
    """Write everything that is converted; return the arguments for `convert`."""
    save_file(dit_tensors(network, channels=network.config.latent_channels), folder / "wan.safetensors")
    torch.save(vae_tensors(network), folder / "Wan2.1_VAE.pth")
    save_file(lora(network), folder / "vsr_lora.safetensors")
    return {
        "wan": folder / "wan.safetensors",
        "vae": folder / "Wan2.1_VAE.pth",
        "lora": folder / "vsr_lora.safetensors",
        "prompt_embeds": write_prompt(folder / "prompt.safetensors", network.config),
    }
