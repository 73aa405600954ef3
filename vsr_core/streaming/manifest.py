"""What a work folder is for: input, model, settings and plan, written once at the start."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import SettingError, VideoError
from ..video import Seek
from ..video.partial import partial_file, write_error
from .advice import BEGIN_ANEW
from .identity import Facts, differences
from .plan import Segment
from .size import OutputSize

NAME = "manifest.json"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that a worker must know beside the job itself."""

    version: int = VERSION
    input: Facts
    model: Facts
    settings: Facts
    memory: int
    """Bytes that the choice of tiles counts on."""
    output: OutputSize
    segments: list[Segment]
    seeks: list[Seek | None]
    """For each segment, where in the file its first restored frame is found; None = read from the beginning."""
    start: Fraction
    """Time of the first frame, seconds."""
    stop: Fraction
    """Time of the end of the last frame, seconds."""
    damage: str | None = None
    """Why the input ends before it should."""

    @property
    def frames(self) -> int:
        """Return how many frames are written."""
        return sum(segment.frames for segment in self.segments)

    def write(self, folder: Path) -> None:
        """Write the manifest of a work folder; raise VideoError if the disk does not take it."""
        write_json(folder / NAME, {**asdict(self), "seeks": [seek and seek.as_data() for seek in self.seeks]})

    def check(self, **now: Facts) -> None:
        """Raise SettingError, naming what changed, if `input`, `model` or `settings` are not those of `now`."""
        changed = [
            phrase for name, facts in now.items() for phrase in differences(getattr(self, name), facts, f"{name} ")
        ]
        if changed:
            more = f" and {len(changed) - 4} more" if len(changed) > 4 else ""
            raise SettingError(
                f"The unfinished work is of something else: {'; '.join(changed[:4])}{more}. Use what was used then "
                f"to go on, or {BEGIN_ANEW} to begin anew."
            )


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a work folder, None if there is none; raise VideoError if it is of no use."""
    path = folder / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise ValueError(f"it is of version {data['version']}, this program writes {VERSION}")
        return Manifest(**{**data, **_plan(data)})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VideoError(f"{path} cannot be used: {error}. {BEGIN_ANEW} begins anew.") from error


def _plan(data: Any) -> dict[str, Any]:
    """Return the fields of a manifest that JSON does not hold as they are."""
    height, width, shape, *seen = data["output"]
    return {
        "output": OutputSize(height, width, Fraction(shape), *seen),
        "segments": [Segment(*numbers) for numbers in data["segments"]],
        "seeks": [seek and Seek.from_data(seek) for seek in data["seeks"]],
        "start": Fraction(data["start"]),
        "stop": Fraction(data["stop"]),
    }


def write_json(path: Path, data: Any) -> None:
    """Write `data` as JSON, whole or not at all; raise VideoError if the disk does not take it."""
    text = json.dumps(data, indent=1, default=str)
    with partial_file(path, overwrite=True) as partial:
        try:
            partial.write_text(text, encoding="utf-8")
        except OSError as error:
            raise write_error(path, error) from error
