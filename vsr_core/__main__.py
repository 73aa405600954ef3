"""Run `python -m vsr_core`."""

import os

# Read when torch is loaded: huge pages halve the system time that large frames cost on Linux CPUs.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from .cli.main import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
