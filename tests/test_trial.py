"""An estimate is measured on the first window, at the real size."""

import pytest
import torch
from restorers import NeighbourMean, Pointwise, Watched, enlarged, random_clip, tiny_fusing_restorer

from vsr_core.errors import ClipError
from vsr_core.flow import estimator
from vsr_core.restore import Settings, align_clip, fuse
from vsr_core.tiling import Tiling
from vsr_core.trial import duration_in_words, estimate_clip, memory_in_words, restored_frames, tried

CPU = torch.device("cpu")


def test_it_has_every_figure():
    found = estimate_clip(random_clip(23, 18, 26), Pointwise(), Watched(), Settings())
    assert (found.frames, found.height, found.width, found.sample) == (23, 72, 104, 5)
    assert found.upscaling > 0 and found.decoding > 0
    assert found.ram > 2**26
    assert found.vram == 0


def test_one_frame_is_shown_before_and_after():
    clip = random_clip(9)
    found = estimate_clip(clip, Pointwise(), Watched(), Settings())
    assert torch.equal(found.before, clip[2])
    torch.testing.assert_close(found.after, enlarged(clip)[2])


def test_only_the_first_window_is_computed():
    runtime = Watched()
    estimate_clip(random_clip(40), Pointwise(), runtime, Settings())
    assert {total for _, _, total in runtime.reports} == {5}


def test_from_a_fused_latent_only_the_step_and_decoding_are_tried():
    clip, runtime, restorer = random_clip(6, 32, 32), Watched(), tiny_fusing_restorer()
    settings = Settings(tiling=Tiling(window=3))
    fused = fuse(clip, align_clip(clip, estimator(), runtime), restorer, runtime, settings)
    runtime.reports.clear()
    found = estimate_clip(clip, restorer, runtime, settings, fused)
    assert (found.frames, found.sample, found.after.shape) == (6, 3, (3, 128, 128))
    assert {stage for stage, _, _ in runtime.reports} == {"step", "decode"}


def test_frames_that_windows_share_take_the_step_twice():
    tiling = Tiling(window=5, overlap=2)
    assert [restored_frames(frames, Pointwise(), tiling) for frames in (1, 5, 8, 11)] == [1, 5, 10, 15]
    assert restored_frames(11, NeighbourMean(), tiling) == 11


def test_frames_that_cannot_be_restored_are_refused():
    with pytest.raises(ClipError, match="NaN"):
        estimate_clip(random_clip(3) / 0 * 0, Pointwise(), Watched(), Settings())


def test_what_takes_little_time_is_computed_twice_because_the_first_run_loads():
    calls = []
    assert tried(lambda: calls.append(0) or len(calls), CPU).result == 2


def test_it_is_read_as_a_table():
    lines = str(estimate_clip(random_clip(9), Pointwise(), Watched(), Settings())).splitlines()
    assert lines[2] == "result       9 frames of 64x64"
    assert [line.split("  ")[0] for line in lines] == ["time", "memory", "result", "of the time", "measured on"]


def test_memory_is_read_easily():
    assert memory_in_words(3 * 2**29, 0) == "1.5 GiB RAM, no VRAM"
    assert memory_in_words(3 * 2**29, 6 * 2**30) == "1.5 GiB RAM, 6.0 GiB VRAM"


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.06, "4.1 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (59.9, "1 min 00 s")]
)
def test_durations_are_read_easily(seconds, words):
    assert duration_in_words(seconds) == words
