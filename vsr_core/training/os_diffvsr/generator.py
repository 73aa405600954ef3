"""The network that learns to restore: where it begins, and which of its weights learn (paper sections 3 and 4.1)."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from ...architectures.os_diffvsr.network import OSDiffVSR
from ...checkpoints.header import read_header
from ...checkpoints.lora import ALPHA
from ...checkpoints.metadata import Metadata, from_text
from ...checkpoints.strict import check_fit
from ...packages import from_package
from ..lora import add_adapters, layers, merged
from ..recompute import recompute

ADAPTED = ("unet.", "vae.encoder.", "vae.quant_conv")
"""The UNet and the VAE's encoder."""
TIME = "time_emb"
"""In the names of layers that read the time step, which is always the same; OSEDiff gives them no adapter."""


def initialise(network: OSDiffVSR, path: Path) -> Metadata | None:
    """Copy a model's weights into `network` and return what it says about itself. Raises CheckpointError."""
    header = read_header(path)
    check_fit(network, {name: tensor.shape for name, tensor in header.tensors.items()}, path.name)
    network.load_state_dict(load_file(path))
    return from_text(header.metadata)


def choose_weights(network: OSDiffVSR, *, rank: int, decoder: bool) -> None:
    """Let the fusion learn, and UNet and VAE encoder by adapters of `rank`, 0 = themselves; `decoder` = the VAE's too.

    Adapters are at the layers of OSEDiff's and have its scale: peft's default, 8 / rank.
    """
    network.requires_grad_(False)
    learning = [network.fusion]
    if decoder:
        learning += [network.vae.post_quant_conv, network.vae.decoder]
    if rank:
        names = (name for name in layers(network) if name.startswith(ADAPTED) and TIME not in name)
        add_adapters(network, names, rank=rank, alpha=ALPHA)
    else:
        learning += [network.unet, network.vae.encoder, network.vae.quant_conv]
    for part in learning:
        part.requires_grad_(True)


def model_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of the network that inference builds: adapters merged."""
    return merged(weights, alpha=ALPHA)


def save_memory(network: OSDiffVSR) -> None:
    """Compute the activations of the large blocks twice instead of keeping them."""
    kinds = (("diffusers.models.resnet", "ResnetBlock2D"), ("diffusers", "Transformer2DModel"))
    recompute(network, tuple(from_package(*kind, "OS-DiffVSR") for kind in kinds))
