"""Read LoRA files of Wan2.1 under the names that their base has here."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from ...checkpoints.keys import renamed
from ...checkpoints.tensors import read_tensors
from ...errors import CheckpointError
from .config import DuoVSRConfig
from .wan_files import widened
from .wan_keys import official_dit_name
from .wan_kinds import WIDTHS

PREFIX = re.compile(r"(base_model\.model\.|model\.diffusion_model\.|diffusion_model\.|transformer\.|lora_unet__?)?")
"""What peft, ComfyUI, diffusers and kohya put before the names, in this order."""
END = re.compile(r"\.((lora_(A|B|down|up)(\.[^.]+)?|base_layer)\.\w+|alpha|diff|diff_b|weight|bias)$")
"""What follows a module's name."""
PATCHES = ("patch_embedding.lora_A.", "patch_embedding.lora_down.", "patch_embedding.diff")


def read_lora(path: str | Path, base: Iterable[str], config: DuoVSRConfig) -> dict[str, Tensor]:
    """Return the tensors of a LoRA under the names of the modules of `base`, for `checkpoints.lora.merge`.

    Modules have diffusers' or Wan's own names, joined by dots or, as kohya does, by underscores. Names that are not
    known stay as they are. What changes 16 input channels is widened with zeros for the LR latent.
    Raises CheckpointError if the file is damaged, or of a Wan of another width.
    """
    path = Path(path)
    modules = module_names(base)
    tensors = renamed(read_tensors(path), lambda name: _ours(name, modules))
    _check_width(tensors, config, path.name)
    return {
        name: widened(value, config)
        if name.startswith(PATCHES) and value.ndim == 5 and value.shape[1] == config.latent_channels
        else value
        for name, value in tensors.items()
    }


def module_names(base: Iterable[str]) -> dict[str, str]:
    """Return the modules of the tensors `base` by all names that they are called by."""
    ours = {name.rpartition(".")[0]: official_dit_name(name).rpartition(".")[0] for name in base}
    dotted = {**{official: module for module, official in ours.items()}, **{module: module for module in ours}}
    return {**{name.replace(".", "_"): module for name, module in dotted.items()}, **dotted}


def _ours(name: str, modules: Mapping[str, str]) -> str:
    plain = name[PREFIX.match(name).end() :]
    end = END.search(plain)
    module = modules.get(plain[: end.start()]) if end else None
    return module + plain[end.start() :] if module else name


def _check_width(tensors: Mapping[str, Tensor], config: DuoVSRConfig, origin: str) -> None:
    for name, value in tensors.items():
        if (
            re.search(r"attn[12]\.to_[qkv]\.lora_(A|down)\.", name)
            and value.ndim == 2
            and value.shape[1] != config.width
        ):
            kind = WIDTHS.get(value.shape[1], "another model")
            raise CheckpointError(
                f"{origin} is a LoRA for {kind}: {name} reads {value.shape[1]} channels per token; expected one for "
                f"Wan2.1-T2V-1.3B, which has {config.width}."
            )
