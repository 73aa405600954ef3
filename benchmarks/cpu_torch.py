"""Run `python -m vsr_core` beside a CPU-only torch, whose torchvision from PyPI cannot be imported.

    python benchmarks/cpu_torch.py evaluate SR --hr HR --lr LR ...
    python benchmarks/cpu_torch.py train os_diffvsr/adjacent_frame --config small ...

LPIPS takes from torchvision only the layers of AlexNet, so operators that exist but cannot run are enough.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from torchvision_operators import make_torchvision_importable  # noqa: E402

from vsr_core.cli.main import main  # noqa: E402

if __name__ == "__main__":
    make_torchvision_importable()
    sys.exit(main(sys.argv[1:]))
