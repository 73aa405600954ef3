from dataclasses import replace

import pytest
import torch


@pytest.fixture
def align(execute):
    return lambda images: execute("VSROpticalFlowWarp", images=images)


@pytest.fixture
def fuse(execute, fusing_model, align):
    """Align and fuse images and return the LATENT."""

    def run(images, **changed):
        inputs = {"model": fusing_model, "images": images, "aligned": align(images), **changed}
        return execute("VSRMultiFrameFusion", **inputs)

    return run


@pytest.fixture
def upscale(execute, fusing_model):
    """Run One-Step Upscale on images and return the LATENT."""
    return lambda images, **changed: execute("VSROneStepUpscale", **{"model": fusing_model, **changed}, images=images)


@pytest.fixture
def decode(execute, fusing_model):
    return lambda latent: execute("VSRVideoVAEDecode", model=fusing_model, latent=latent)


def test_the_latent_has_the_layout_of_comfyuis_image_latents(fuse, upscale, moving):
    images = moving(3, 34, 37)
    fused = fuse(images)
    assert fused["samples"].shape == (3, 4, 18, 20)  # 36 x 40 pixels, half as many cells
    assert upscale(images, latent=fused)["samples"].shape == (3, 4, 18, 20)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_every_frame_comes_back_four_times_as_large(fuse, upscale, decode, moving, count):
    images = moving(count, 34, 37)
    enlarged = decode(upscale(images, latent=fuse(images)))
    assert enlarged.shape == (count, 136, 148, 3)
    assert enlarged.min() >= 0 and enlarged.max() <= 1


def test_fusing_by_hand_gives_what_the_upscaler_does_by_itself(fuse, upscale, decode, moving):
    images = torch.cat([moving(6), 1 - moving(3, seed=3) ** 3])  # longer than a window, with a cut
    by_hand, alone = upscale(images, latent=fuse(images)), upscale(images)
    assert torch.allclose(by_hand["samples"], alone["samples"], atol=1e-3, rtol=1e-3)
    assert torch.allclose(decode(by_hand), decode(alone), atol=1e-3)


def test_the_fused_latent_is_that_of_the_frame_where_nothing_is_trusted(fuse, fusing_model, moving, part_of_pack):
    images = moving(3, 36, 40)
    with torch.no_grad():
        own = fusing_model.restorer.encode(images.movedim(-1, 1))[:, :4]
    assert torch.allclose(fuse(images, mu=1.0)["samples"], own, atol=1e-4)
    assert not torch.allclose(fuse(images)["samples"], own, atol=1e-4)


def test_alpha_says_how_much_is_fused(fuse, moving):
    images = moving(3)
    images += 0.05 * torch.rand(images.shape, generator=torch.Generator().manual_seed(0))
    untouched = fuse(images, mu=1.0)["samples"]
    changed = [(fuse(images, alpha=alpha)["samples"] != untouched).float().mean() for alpha in (0.1, 5.0, 100.0)]
    assert changed[0] > changed[1] > changed[2]


def test_latents_can_be_warped_instead_of_frames(fuse, moving):
    by_frames, by_latents = (fuse(moving(), alignment=name)["samples"] for name in ("pixels", "latents"))
    assert 0 < (by_frames - by_latents).abs().mean() < 0.25 * by_frames.std()


def test_only_samples_depend_on_the_seed(fuse, moving):
    def samples(posterior, seed):
        return fuse(moving(), posterior=posterior, seed=seed)["samples"]

    assert torch.equal(samples("mean", 1), samples("mean", 2))
    assert torch.equal(samples("sample", 1), samples("sample", 1))
    assert not torch.equal(samples("sample", 1), samples("sample", 2))


def test_what_the_step_starts_from_can_be_looked_at(fuse, decode, moving):
    assert decode(fuse(moving(2))).shape == (2, 160, 192, 3)


def test_alpha_channels_are_kept(fuse, upscale, decode, moving):
    images = torch.cat([moving(2), torch.full((2, 40, 48, 1), 0.5)], -1)
    enlarged = decode(upscale(images, latent=fuse(images)))
    assert enlarged.shape == (2, 160, 192, 4)
    assert torch.allclose(enlarged[..., 3], torch.tensor(0.5), atol=1e-6)


def test_tiling_reaches_the_library(execute, fuse, moving):
    small = execute("VSRTemporalTiling", window=0, overlap=0, tile=32, tile_overlap=16, scene_cuts=True)
    images = moving(2, 72, 80)
    whole, tiled = fuse(images)["samples"], fuse(images, tiling=small)["samples"]
    assert tiled.shape == whole.shape
    assert not torch.equal(tiled, whole)


def test_text_replaces_the_prompt_of_the_model(upscale, fusing_model, moving):
    width = fusing_model.restorer.requirements.text_width
    text, other = torch.randn(2, 7, width, generator=torch.Generator().manual_seed(0))[:, None]
    images = moving(1)
    given = upscale(images, conditioning=[[text, {}], [other, {}]])["samples"]
    assert torch.equal(given, upscale(images, conditioning=[[text, {"pooled_output": None}]])["samples"])
    assert not torch.allclose(given, upscale(images)["samples"], atol=1e-4)


def test_text_of_another_encoder_is_refused_with_both_widths(upscale, fusing_model, moving, setting_error):
    width = fusing_model.restorer.requirements.text_width
    with pytest.raises(setting_error, match=rf"768(.|\n)*{width}"):
        upscale(moving(1), conditioning=[[torch.zeros(1, 77, 768), {}]])


def test_text_for_a_model_without_text_is_refused(upscale, model, moving, setting_error):
    with pytest.raises(setting_error, match="no text"):
        upscale(moving(1), model=model, conditioning=[[torch.zeros(1, 77, 1024), {}]])


def test_a_model_that_fuses_nothing_says_where_the_images_go(fuse, model, moving, setting_error):
    with pytest.raises(setting_error, match="One-Step Upscale"):
        fuse(moving(), model=model)


@pytest.mark.parametrize("size", [(4, 40, 48), (5, 40, 47)])
def test_an_alignment_of_other_frames_is_refused(fuse, align, moving, size, setting_error):
    with pytest.raises(setting_error, match="same images"):
        fuse(moving(), aligned=align(moving(*size)))


def test_a_latent_fused_from_other_frames_is_refused(fuse, upscale, moving, setting_error):
    with pytest.raises(setting_error, match="same images"):
        upscale(moving(seed=1), latent=fuse(moving()))


def test_a_latent_that_is_restored_already_is_refused(upscale, moving, setting_error):
    with pytest.raises(setting_error, match="Multi-Frame Fusion"):
        upscale(moving(), latent=upscale(moving()))


def test_a_latent_of_another_kind_of_model_is_refused_in_both_directions(
    execute, fuse, upscale, model, moving, setting_error
):
    with pytest.raises(setting_error, match="os_diffvsr"):
        upscale(moving(), model=model, latent=fuse(moving()))
    with pytest.raises(setting_error, match="adc_vsr"):
        upscale(moving(), latent=upscale(moving(), model=model))


def test_comfyuis_own_latent_nodes_keep_what_the_upscaler_needs(fuse, upscale, decode, moving):
    import nodes

    images, latent = moving(2), fuse(moving(2))
    there = nodes.LatentFlip().flip(latent, "x-axis: vertically")[0]
    back = nodes.LatentFlip().flip(there, "x-axis: vertically")[0]
    assert back is not latent
    assert torch.equal(decode(upscale(images, latent=back)), decode(upscale(images, latent=latent)))


def test_a_latent_that_lost_frames_or_changed_its_size_is_refused(fuse, upscale, moving, setting_error):
    import nodes

    images, latent = moving(3), fuse(moving(3))
    with pytest.raises(setting_error, match="1 latent frames"):
        upscale(images, latent=nodes.LatentFromBatch().frombatch(latent, 1, 1)[0])
    with pytest.raises(setting_error, match="40x48"):
        upscale(images, latent=nodes.LatentUpscaleBy().upscale(latent, "bilinear", 2.0)[0])


def test_a_latent_without_its_frames_is_refused(upscale, moving, setting_error):
    with pytest.raises(setting_error, match="Multi-Frame Fusion"):
        upscale(moving(1), latent={"samples": torch.zeros(1, 4, 20, 24)})


def test_a_latent_of_a_larger_model_is_refused(fuse, upscale, moving, setting_error):
    latent = fuse(moving(1))
    latent["vsr_source"] = replace(latent["vsr_source"], architecture="os_diffvsr")
    latent["samples"] = latent["samples"].repeat(1, 2, 1, 1)
    with pytest.raises(setting_error, match="8 latent channels"):
        upscale(moving(1), latent=latent)
