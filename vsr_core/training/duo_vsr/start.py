"""What the stages share at their two ends: the model they begin with, and the one they leave behind."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ...architectures.duo_vsr.config import TINY, DuoVSRConfig
from ...architectures.duo_vsr.network import DuoVSR
from ...checkpoints.header import read_header
from ...checkpoints.metadata import Metadata, config_from_json, config_to_json
from ...checkpoints.strict import check_fit
from ...errors import CheckpointError, SettingError
from ...load import identify
from ...models import find
from ..recompute import recompute
from .draws import dice, normal
from .latents import Latents
from .velocity import Velocity, one_step


@dataclass(frozen=True, kw_only=True)
class Start:
    """A network whose DiT learns, and what is known of its weights."""

    network: DuoVSR
    source: str
    licence: str

    def model(self, weights: Mapping[str, Tensor], stage: str) -> tuple[dict[str, Tensor], Metadata]:
        """Return the network with the learned `weights`, and that they went through `stage`."""
        config = config_to_json(self.network.config)
        metadata = Metadata(
            architecture="duo_vsr", config=config, source=f"{self.source}; {stage}", licence=self.licence
        )
        return {**self.network.state_dict(), **weights}, metadata

    @torch.no_grad()
    def sample(self, velocity: Velocity, clips: Tensor, seed: int) -> Tensor:
        """Return the restored frames (N, T, 3, 4 H, 4 W) of clips (N, T, 3, H, W) in 0..1, by one step."""
        latents = Latents(self.network)
        z_lr = latents.of_input(clips)
        noise = normal(z_lr, dice(seed, range(len(clips))))
        return latents.decode(one_step(velocity, noise, z_lr, self.network.prompt[None]), clips)


def start(
    config: DuoVSRConfig, init: Path | None, *, seed: int, recomputed: bool = False, option: str = "--init"
) -> Start:
    """Load a model of ours, a file or one of the built-in, to train its DiT; autoencoder and prompt stay as they are.

    Without `init` a TINY network has random weights, for tests. Raises SettingError naming `option` if another one has
    no `init`, CheckpointError if it is no network of `config`.
    """
    torch.manual_seed(seed)
    network = DuoVSR(config).requires_grad_(False)
    if init is not None:
        metadata = _load(network, find(str(init)))
        source, licence = metadata.source, metadata.licence
    elif config == TINY:
        source, licence = "random weights", ""
    else:
        raise SettingError(f"This stage goes on from another model. Name its file, or a built-in model, by {option}.")
    network.dit.requires_grad_(True)
    if recomputed:
        recompute(network.dit, (type(network.dit.blocks[0]),))
    return Start(network=network, source=source, licence=licence)


def _load(network: DuoVSR, path: Path) -> Metadata:
    header = read_header(path)
    metadata = identify(header)
    if metadata.architecture != "duo_vsr":
        raise CheckpointError(f"{path.name} is of {metadata.architecture}; this stage goes on from a DUO-VSR.")
    found = asdict(config_from_json(DuoVSRConfig, metadata.config))
    expected = asdict(network.config)
    if found != expected:
        differing = ", ".join(name for name in expected if found[name] != expected[name])
        raise CheckpointError(f"{path.name} is of another size than this --config trains: {differing} differ.")
    tensors = load_file(header.path)
    check_fit(network, {name: tuple(value.shape) for name, value in tensors.items()}, path.name)
    network.load_state_dict(tensors)
    return metadata
