"""Mix the weights of two models of the same network, one trained from the other: (1 - SHARE) FIRST + SHARE SECOND.

    python benchmarks/interpolate.py FIRST.safetensors SECOND.safetensors SHARE OUT.safetensors --licence Apache-2.0

Between a model trained by pixels and the same trained on against a discriminator lie models with less of either's
faults (network interpolation: Wang et al., ESRGAN, 2018, section 3.4).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vsr_core.checkpoints.header import read_header  # noqa: E402
from vsr_core.checkpoints.metadata import from_text  # noqa: E402
from vsr_core.checkpoints.write import write_model  # noqa: E402


def main() -> None:
    """Write the mixture. Raises CheckpointError if OUT exists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs=2, type=Path, metavar="MODEL")
    parser.add_argument("share", type=float)
    parser.add_argument("out", type=Path)
    parser.add_argument("--licence", default="", help="of the mixture (default: the first model's)")
    arguments = parser.parse_args()
    first, second = (load_file(model) for model in arguments.models)
    mixed = {name: torch.lerp(first[name].float(), value.float(), arguments.share) for name, value in second.items()}
    origins = [from_text(read_header(model).metadata) for model in arguments.models]
    source = f"{1 - arguments.share:.2g} of ({origins[0].source}) and {arguments.share:.2g} of ({origins[1].source})"
    metadata = replace(origins[0], source=source, licence=arguments.licence or origins[0].licence)
    write_model(arguments.out, mixed, metadata, dtype=torch.float16)


if __name__ == "__main__":
    main()
