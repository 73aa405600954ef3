import pytest
import torch


def test_frames_and_alpha_come_back_as_they_went_in(part_of_pack):
    images, frames = part_of_pack("nodes.images"), torch.rand(2, 5, 7, 4)
    clip, alpha = images.split_image(frames)
    assert clip.shape == (2, 3, 5, 7)
    assert alpha.shape == (2, 1, 5, 7)
    assert torch.allclose(images.join_image(clip, alpha), frames, atol=1e-6)


def test_frames_without_alpha_stay_without(part_of_pack):
    images = part_of_pack("nodes.images")
    clip, alpha = images.split_image(torch.rand(1, 4, 4, 3))
    assert alpha is None
    assert images.join_image(clip, alpha).shape == (1, 4, 4, 3)


def test_alpha_is_enlarged_with_the_frames(part_of_pack):
    images = part_of_pack("nodes.images")
    _, alpha = images.split_image(torch.full((1, 4, 4, 4), 0.25))
    joined = images.join_image(torch.rand(1, 3, 16, 16), alpha)
    assert joined.shape == (1, 16, 16, 4)
    assert torch.allclose(joined[..., 3], torch.tensor(0.25))


@pytest.mark.parametrize("shape", [(4, 4, 3), (1, 4, 4, 1), (1, 4, 4, 5)])
def test_anything_else_is_refused_with_its_shape(part_of_pack, shape):
    error = part_of_pack("vsr_core.errors").ClipError
    with pytest.raises(error, match=str(shape[-1])):
        part_of_pack("nodes.images").split_image(torch.rand(shape))
