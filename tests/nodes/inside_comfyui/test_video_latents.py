"""DUO-VSR through the nodes: latent frames stand for four frames each, and the step starts from noise."""

import pytest
import torch

import nodes


@pytest.fixture
def upscale(execute, video_model):
    """Run One-Step Upscale on images and return the LATENT."""
    return lambda images, **changed: execute("VSROneStepUpscale", model=video_model, images=images, **changed)


@pytest.fixture
def decode(execute, video_model):
    return lambda latent, **changed: execute("VSRVideoVAEDecode", model=video_model, latent=latent, **changed)


@pytest.fixture
def tiling(execute):
    return lambda **changed: execute("VSRTemporalTiling", **changed)


@pytest.fixture
def two_shots(moving):
    """A shot of six frames and one of three: two latent frames fill up the first, one and a bit the second."""
    return torch.cat([moving(6, 16, 20), 1 - moving(3, 16, 20, seed=3) ** 3])


@pytest.mark.parametrize(("count", "latents"), [(1, 1), (2, 2), (5, 2), (6, 3), (9, 3), (10, 4)])
def test_the_latent_has_the_layout_of_comfyuis_video_latents(upscale, moving, count, latents):
    samples = upscale(moving(count, 34, 37))["samples"]
    assert samples.shape == (1, 16, latents, 18, 20)  # 36 x 40 pixels, half as many cells
    assert samples.dtype == torch.float32
    assert samples.isfinite().all()


@pytest.mark.parametrize("count", range(1, 11))
def test_every_frame_comes_back_four_times_as_large(upscale, decode, moving, count):
    enlarged = decode(upscale(moving(count, 17, 19)))
    assert enlarged.shape == (count, 68, 76, 3)
    assert enlarged.dtype == torch.float32
    assert enlarged.min() >= 0 and enlarged.max() <= 1


@pytest.mark.parametrize("size", [(16, 16), (33, 18), (21, 50)])
def test_any_size_comes_back_four_times_as_large(upscale, decode, moving, size):
    assert decode(upscale(moving(3, *size))).shape == (3, *(4 * side for side in size), 3)


def test_the_nodes_give_what_the_library_gives_outside_comfyui(upscale, decode, video_model, two_shots, part_of_pack):
    restore, runtime = part_of_pack("vsr_core.restore"), part_of_pack("vsr_core.runtime").StandaloneRuntime
    alone = restore.restore(
        two_shots.movedim(-1, 1), video_model.restorer, runtime("cpu", "fp32"), restore.Settings(seed=5), total=9
    )
    assert torch.allclose(decode(upscale(two_shots, seed=5)), torch.cat(list(alone)).movedim(1, -1), atol=1e-5)


def test_the_step_starts_from_noise_of_the_seed(upscale, moving):
    images = moving(5, 16, 20)
    assert torch.equal(upscale(images, seed=1)["samples"], upscale(images, seed=1)["samples"])
    assert not torch.allclose(upscale(images, seed=1)["samples"], upscale(images, seed=2)["samples"], atol=0.1)


def test_windows_are_rounded_up_to_whole_latent_frames(upscale, tiling, moving):
    images = moving(14, 16, 20)

    def samples(window, overlap):
        return upscale(images, tiling=tiling(window=window, overlap=overlap))["samples"]

    assert torch.equal(samples(6, 1), samples(9, 4))
    assert not torch.allclose(samples(9, 4), samples(13, 4), atol=1e-3)


def test_an_overlap_that_is_no_less_than_the_window_once_rounded_is_refused(upscale, tiling, moving, setting_error):
    with pytest.raises(setting_error, match="12 frames(.|\n)*9"):
        upscale(moving(9, 16, 20), tiling=tiling(overlap=9))


def test_the_latent_knows_its_shots_whatever_the_decoder_is_told(upscale, decode, tiling, two_shots):
    latent, whole = upscale(two_shots), upscale(two_shots, tiling=tiling(scene_cuts=False))
    assert latent["samples"].shape[2] == 3 + 2
    assert whole["samples"].shape[2] == 3
    assert torch.equal(decode(latent, tiling=tiling(scene_cuts=False)), decode(latent))
    assert torch.equal(decode(whole, tiling=tiling(scene_cuts=True)), decode(whole))
    assert decode(whole).shape == decode(latent).shape


def test_nothing_of_a_shot_shows_in_another(upscale, decode, two_shots, moving):
    enlarged = decode(upscale(two_shots))
    assert torch.equal(decode(upscale(two_shots[:6])), enlarged[:6])
    other_first = torch.cat([moving(6, 16, 20, seed=1), two_shots[6:]])
    assert torch.equal(decode(upscale(other_first))[6:], enlarged[6:])


def test_alpha_is_kept_and_enlarged(upscale, decode, moving):
    images = torch.cat([moving(3, 16, 20), torch.full((3, 16, 20, 1), 0.5)], -1)
    enlarged = decode(upscale(images))
    assert enlarged.shape == (3, 64, 80, 4)
    assert torch.allclose(enlarged[..., 3], torch.tensor(0.5), atol=1e-6)


def test_text_replaces_the_prompt_of_the_model(upscale, video_model, moving):
    width, images = video_model.restorer.requirements.text_width, moving(5, 16, 20)
    text = torch.randn(1, 2, width, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(
        upscale(images, conditioning=[[text, {}]])["samples"], upscale(images)["samples"], atol=1e-4
    )


def test_text_of_another_encoder_is_refused_with_both_widths(upscale, video_model, moving, setting_error):
    width = video_model.restorer.requirements.text_width
    with pytest.raises(setting_error, match=rf"1024(.|\n)*{width}"):
        upscale(moving(5, 16, 20), conditioning=[[torch.zeros(1, 77, 1024), {}]])


def test_comfyuis_own_latent_nodes_keep_what_the_decoder_needs(upscale, decode, moving):
    latent = upscale(moving(6, 16, 20))
    back = nodes.LatentFromBatch().frombatch(latent, 0, 1)[0]
    assert back is not latent
    assert torch.equal(decode(back), decode(latent))


def test_a_latent_of_another_length_or_size_is_refused_with_what_it_should_be(upscale, decode, moving, setting_error):
    latent = upscale(moving(6, 16, 20))
    with pytest.raises(setting_error, match="2 latent frames(.|\n)*6 frames of 20x16 pixels need 3"):
        decode({**latent, "samples": latent["samples"][:, :, :2]})
    with pytest.raises(setting_error, match="16x20(.|\n)*8x10"):
        decode(nodes.LatentUpscaleBy().upscale(latent, "bilinear", 2.0)[0])


def test_the_latents_of_two_videos_are_refused(upscale, decode, moving, setting_error):
    with pytest.raises(setting_error, match=r"\(2, 16, 2, 8, 10\)"):
        decode(nodes.RepeatLatentBatch().repeat(upscale(moving(5, 16, 20)), 2)[0])


def test_a_latent_of_another_kind_of_model_is_refused_in_both_directions(
    execute, upscale, decode, model, moving, setting_error
):
    with pytest.raises(setting_error, match="adc_vsr"):
        decode(execute("VSROneStepUpscale", model=model, images=moving(1, 16, 20)))
    with pytest.raises(setting_error, match="duo_vsr"):
        execute("VSRVideoVAEDecode", model=model, latent=upscale(moving(1, 16, 20)))


def test_a_latent_that_is_restored_already_is_not_restored_again(upscale, moving, setting_error):
    with pytest.raises(setting_error, match="Video VAE Decode"):
        upscale(moving(1, 16, 20), latent=upscale(moving(1, 16, 20)))


def test_a_model_that_fuses_nothing_says_where_the_images_go(execute, video_model, moving, setting_error):
    aligned = execute("VSROpticalFlowWarp", images=moving(3, 32, 32))
    with pytest.raises(setting_error, match="One-Step Upscale"):
        execute("VSRMultiFrameFusion", model=video_model, images=moving(3, 32, 32), aligned=aligned)
