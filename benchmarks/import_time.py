"""Measure how long ComfyUI takes to load this pack, beside an empty one: `python benchmarks/import_time.py COMFYUI`.

Run it with the Python that runs ComfyUI. Every load is the first of its process, after ComfyUI's own modules. Seconds
of the CPU count, so that other work on the machine does not.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 3
EMPTY = """
from comfy_api.latest import ComfyExtension

class Nothing(ComfyExtension):
    async def get_node_list(self):
        return []

async def comfy_entrypoint():
    return Nothing()
"""
LOAD = """
import asyncio, json, sys, time
sys.path.insert(0, sys.argv[1])
from comfy.cli_args import args
args.cpu = True
import nodes, execution, comfy.sd, comfy_api.latest, server
before = set(sys.modules)
start = time.process_time()
assert asyncio.run(nodes.load_custom_node(sys.argv[2]))
seconds = time.process_time() - start
print(json.dumps([seconds, sorted({name.split(".")[0] for name in set(sys.modules) - before})]))
"""


def load(comfyui: str, pack: Path) -> tuple[float, list[str]]:
    """Return the seconds that loading `pack` takes in a fresh process, and the packages it brings along."""
    command = [sys.executable, "-c", LOAD, comfyui, str(pack)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tempfile.gettempdir(), env=os.environ)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, packages = json.loads(done.stdout.splitlines()[-1])
    return seconds, packages


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        empty.mkdir()
        (empty / "__init__.py").write_text(EMPTY)
        times = {"empty": [], "this pack": []}
        packages = []
        for _ in range(RUNS + 1):  # the first one also warms the disk
            times["empty"].append(load(sys.argv[1], empty)[0])
            seconds, packages = load(sys.argv[1], ROOT)
            times["this pack"].append(seconds)
    print("| pack | median [s] | fastest [s] |\n|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {statistics.median(seconds[1:]):.3f} | {min(seconds[1:]):.3f} |")
    print(f"\npackages it brings along: {', '.join(name for name in packages if name.isidentifier())}")


if __name__ == "__main__":
    main()
