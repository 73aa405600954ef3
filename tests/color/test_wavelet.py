"""Large areas come from the input, details from the restored frame."""

import torch

from vsr_core.color.wavelet import low_frequencies, wavelet


def two_clips(size: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(2, 2, 3, size, size, generator=torch.Generator().manual_seed(0)).unbind(0)


def test_a_constant_has_only_low_frequencies():
    grey = torch.full((1, 3, 40, 40), 0.3)
    assert torch.allclose(low_frequencies(grey), grey, atol=1e-6)


def test_fine_texture_has_none():
    checkerboard = torch.arange(64)[:, None].add(torch.arange(64)).remainder(2).float().expand(1, 3, 64, 64)
    assert torch.allclose(low_frequencies(checkerboard)[..., 4:-4, 4:-4], torch.tensor(0.5), atol=0.02)


def test_low_frequencies_gather_what_is_up_to_31_pixels_away():
    point = torch.zeros(1, 1, 80, 80)
    point[..., 40, 40] = 1
    rows = low_frequencies(point)[0, 0].sum(1).nonzero().flatten().tolist()
    assert rows == list(range(40 - 31, 40 + 32))


def test_a_shift_of_colour_disappears_and_the_details_stay():
    clip, _ = two_clips()
    tinted = clip + torch.tensor([0.2, -0.1, 0.05]).view(3, 1, 1)
    assert torch.allclose(wavelet(tinted, clip), clip, atol=1e-5)


def test_the_low_frequencies_are_the_references_and_the_rest_is_the_frames():
    frames, reference = two_clips()
    result = wavelet(frames, reference)
    assert torch.allclose(result - low_frequencies(reference), frames - low_frequencies(frames), atol=1e-5)
    assert torch.allclose(wavelet(frames * 0 + 0.5, reference), low_frequencies(reference), atol=1e-5)


def test_frames_smaller_than_the_widest_kernel_work():
    frames, reference = two_clips(4)
    assert wavelet(frames, reference).isfinite().all()
