"""Kill a run at random moments, resume it each time, and compare the result with that of a run left alone.

    python benchmarks/kill_and_resume.py VIDEO [--kills 20] [--model NAME] [--seconds 12] [--size 64x96] [--seed 0]

Upscales a small part of VIDEO with the command line. A run that is complete before it is killed is compared, and the
next one begins anew. The exit code is 1 if anything differs.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from hashlib import md5
from pathlib import Path

import av
from small_input import write_small_input

from vsr_core.models import DEFAULT

SEGMENT_SECONDS = "1"


def main() -> int:
    arguments = _arguments()
    height, width = arguments.size
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_small_input(
            arguments.video, folder / "in.mp4", seconds=arguments.seconds, height=height, width=width
        )
        once, target = folder / "once.mp4", folder / "out.mp4"
        start = time.monotonic()
        subprocess.run(command(source, once, arguments.model), check=True, capture_output=True)
        duration = time.monotonic() - start
        print(
            f"{source.name}: {arguments.seconds} s of {height}x{width}, {arguments.model}; left alone {duration:.1f} s"
        )
        same = killed_and_resumed(arguments, source, target, once, duration)
        print("everything is the same" if same else "SOMETHING DIFFERS")
        return 0 if same else 1


def killed_and_resumed(arguments: argparse.Namespace, source: Path, target: Path, once: Path, duration: float) -> bool:
    """Return whether every result is that of `once`; print a line for every kill."""
    moments, kills, same = random.Random(arguments.seed), 0, True
    print("\n| kill | after | segments done |\n|---|---|---|")
    while kills < arguments.kills:
        run = subprocess.Popen(command(source, target, arguments.model), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        moment, start = moments.uniform(0, duration), time.monotonic()
        try:
            run.communicate(timeout=moment)
            duration = min(duration, time.monotonic() - start)
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            kills += 1
            parts = target.with_name(f"{target.name}.parts")
            print(f"| {kills} | {moment:.2f} s | {len(list(parts.glob('segment_*.json')))} |", flush=True)
        if target.exists():
            same = compared(source, target, once, arguments.model) and same
            target.unlink()
    print()
    return compared(source, target, once, arguments.model) and same


def compared(source: Path, target: Path, once: Path, model: str) -> bool:
    """Finish the run at `target` and return whether its result is that of `once`, and nothing else is left."""
    subprocess.run(command(source, target, model), check=False, capture_output=True)
    facts = {
        "file": target.read_bytes() == once.read_bytes(),
        "frames": frame_digests(target) == frame_digests(once),
        "sound": sound_packets(target) == sound_packets(source) != [],
        "nothing else left": {path.name for path in target.parent.iterdir()} == {source.name, once.name, target.name},
    }
    print(", ".join(f"{name}: {'same' if fact else 'DIFFERS'}" for name, fact in facts.items()), flush=True)
    return all(facts.values())


def command(source: Path, target: Path, model: str) -> list[str]:
    """Return the command that upscales `source`, going on where it was stopped."""
    options = ["--model", model, "--device", "cpu", "--segment-seconds", SEGMENT_SECONDS, "--resume"]
    return [sys.executable, "-m", "vsr_core", "upscale", str(source), str(target), *options]


def frame_digests(path: Path) -> list[str]:
    """Return the MD5 of every decoded frame."""
    with av.open(str(path)) as container:
        return [md5(frame.to_ndarray().tobytes()).hexdigest() for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[bytes]:
    """Return the packets of the sound."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(64, 96))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
