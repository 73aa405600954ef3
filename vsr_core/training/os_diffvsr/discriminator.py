"""The discriminator: a pretrained network that says what is at each patch of a picture (paper section 3.2)."""

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import CheckpointError
from ...metrics.perceptual import alexnet_weights
from ...packages import from_package

PURPOSE = "OS-DiffVSR's discriminator"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in 0..1, which both networks were trained on."""
TINY_DINOV2 = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "mlp_ratio": 2,
    "image_size": 70,
    "patch_size": 14,
}


class Dinov2Patches(nn.Module):
    """The patch tokens of DINOv2 (Oquab et al., 2023)."""

    def __init__(self, backbone: nn.Module):
        """`backbone` is transformers' Dinov2Model. All of it learns but the token that stands for hidden patches."""
        super().__init__()
        self.backbone = backbone
        self.patch = backbone.config.patch_size
        if (mask := backbone.embeddings.mask_token) is not None:
            mask.requires_grad_(False)

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames (N, 3, H, W) in -1..1 to features (N, C, ceil(H / 14), ceil(W / 14)).

        Reading: frames are enlarged to the next multiple of 14, so that every pixel is in a patch: 512 pixels to 518,
        which is the size that DINOv2 was trained with.
        """
        rows, columns = (-(-side // self.patch) for side in frames.shape[-2:])
        frames = F.interpolate(normalised(frames), (rows * self.patch, columns * self.patch), mode="bilinear")
        tokens = self.backbone(pixel_values=frames).last_hidden_state[:, 1:]
        return tokens.transpose(1, 2).unflatten(2, (rows, columns))


class AlexNetPatches(nn.Module):
    """The last convolution of AlexNet, one vector per 16x16 pixels: a stand-in for DINOv2 that a CPU can train."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames (N, 3, H, W) in -1..1, from 63 pixels a side, to features (N, 256, h, w)."""
        return self.features(normalised(frames))


def normalised(frames: Tensor) -> Tensor:
    """Return frames (N, 3, H, W) in -1..1 with the mean 0 and the deviation 1 that pretrained networks expect."""
    mean, deviation = (frames.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return ((frames + 1) / 2 - mean) / deviation


def load_dinov2(folder: Path) -> Dinov2Patches:
    """Return the discriminator with DINOv2's weights out of a folder as transformers writes it.

    Raises CheckpointError if they are not there or of another network, MissingPackageError without transformers.
    """
    Dinov2Model = from_package("transformers", "Dinov2Model", PURPOSE)
    wanted = "name a folder with config.json and model.safetensors of a DINOv2, such as facebook/dinov2-small"
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder} has no config.json; {wanted}.")
    try:
        backbone, report = Dinov2Model.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except Exception as error:
        raise CheckpointError(f"{folder} holds no DINOv2 that transformers can load ({error}); {wanted}.") from error
    if report["missing_keys"]:
        raise CheckpointError(f"{folder} lacks {len(report['missing_keys'])} of DINOv2's tensors; {wanted}.")
    return Dinov2Patches(backbone)


def load_alexnet(folder: Path) -> AlexNetPatches:
    """Return the stand-in with the weights that LPIPS uses; raises what `alexnet_weights` raises."""
    discriminator = AlexNetPatches()
    discriminator.load_state_dict(alexnet_weights(folder))
    return discriminator


def tiny_dinov2() -> Dinov2Patches:
    """Return a DINOv2 of a few thousand parameters with random weights, for tests."""
    config = from_package("transformers", "Dinov2Config", PURPOSE)(**TINY_DINOV2)
    return Dinov2Patches(from_package("transformers", "Dinov2Model", PURPOSE)(config))
