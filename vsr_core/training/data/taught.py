"""Training pairs whose target is what a teacher made of the same video, from a folder beside the data."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from ...degradations import LIGHT, DegradationConfig, degrade
from ...errors import SettingError
from .clips import check_pair_size, draw_chances, random_crop, random_flips, to_clip, usable_media
from .media import Media, find_media, open_media, read_frames


class TaughtClips(Dataset):
    """Pairs (LR, target) as of ClipDataset, the target cut out of the teacher's file at the same place.

    Every video of `folders` needs a file of its name, frames and size below `teacher`, at the same path inside it.
    The LR clip is made of the original. Raises SettingError naming what is missing or differs.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        teacher: Path,
        *,
        frames: int = 7,
        size: int = 192,
        degradation: DegradationConfig = LIGHT,
        seed: int = 0,
    ):
        check_pair_size(frames, size, degradation)
        self.frames, self.size, self.degradation, self.seed = frames, size, degradation, seed
        taught = dict(pair for folder in folders for pair in _match(Path(folder), Path(teacher)))
        self.media = usable_media(list(taught), frames, size)
        self.taught = [taught[media] for media in self.media]
        self.chances = draw_chances(self.media, frames, 0.0)

    def __len__(self) -> int:
        return len(self.media)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, index))
        both = random_flips(self._draw(rng), rng)
        hr, target = to_clip(both[..., :3]), to_clip(both[..., 3:])
        return degrade(hr, self.degradation, int(rng.integers(2**63))), target

    def _draw(self, rng: Generator) -> ndarray:
        """Return uint8 (T, S, S, 6): the original and the teacher's."""
        chosen = rng.choice(len(self.media), p=self.chances)
        start = int(rng.integers(self.media[chosen].frames - self.frames + 1))
        files = (self.media[chosen], self.taught[chosen])
        both = np.concatenate([read_frames(file, start, self.frames) for file in files], axis=-1)
        return random_crop(both, self.size, rng)


def _match(folder: Path, teacher: Path) -> list[tuple[Media, Media]]:
    """Return every video of `folder` with the teacher's."""
    if not teacher.is_dir():
        raise SettingError(f"The folder of the teacher's clips, {teacher}, does not exist.")
    videos = [media for media in find_media([folder]) if media.frames > 1]
    wanted = {media: teacher / media.path.relative_to(folder) for media in videos}
    missing = [str(path) for path in wanted.values() if not path.is_file()]
    if missing:
        more = ", ..." if len(missing) > 3 else ""
        raise SettingError(
            f"{len(missing)} of {len(videos)} videos have no clip of the teacher ({', '.join(missing[:3])}{more}); "
            "each needs a file at the same path inside the teacher's folder."
        )
    return [(media, _same_shape(media, open_media(path))) for media, path in wanted.items()]


def _same_shape(media: Media, taught: Media) -> Media:
    (frames, height, width), found = ((item.frames, item.height, item.width) for item in (media, taught))
    if found != (frames, height, width):
        raise SettingError(
            f"{taught.path} has {found[0]} frames of {found[2]}x{found[1]}, but {media.path} has {frames} of "
            f"{width}x{height}; a teacher's clip is as long and as large as the original."
        )
    return taught
