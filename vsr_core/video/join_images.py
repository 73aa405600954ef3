"""Join segments that are folders of images."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import VideoError
from .partial import partial_folder, write_error


def join_images(segments: Sequence[Path], target: Path) -> None:
    """Put the images of `segments` into the folder `target`, which appears when it is complete.

    The segments keep theirs, where the disk allows it without taking space twice. Raises VideoError where `target`
    is not empty or cannot be written to, or where two segments hold an image of one name.
    """
    with partial_folder(target) as folder:
        for segment in segments:
            try:
                for image in segment.glob("*.png"):
                    _put(image, folder / image.name)
            except FileExistsError as error:
                raise VideoError(f"{segment} holds {image.name} once more. Write the segments anew.") from error
            except OSError as error:
                raise write_error(target, error) from error
        if not any(folder.iterdir()):
            raise VideoError(f"{target} was not written: there was no frame to write.")


def _put(image: Path, place: Path) -> None:
    try:
        os.link(image, place)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one without links
        shutil.copyfile(image, place)
