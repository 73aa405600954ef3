from dataclasses import replace

import pytest
import torch


def frames(count: int = 3, height: int = 17, width: int = 19, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, height, width, channels, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def upscale(execute, model):
    """Run both nodes on images and return the enlarged images."""

    def run(images, *, color="auto", strength=1.0, **shared):
        latent = execute("VSROneStepUpscale", model=model, images=images, seed=0, strength=strength, **shared)
        return execute("VSRVideoVAEDecode", model=model, latent=latent, color=color, **shared)

    return run


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_frame_comes_back_four_times_as_large(upscale, count):
    enlarged = upscale(frames(count))
    assert enlarged.shape == (count, 68, 76, 3)
    assert enlarged.dtype == torch.float32
    assert enlarged.min() >= 0 and enlarged.max() <= 1


def test_the_nodes_give_what_the_library_gives_outside_comfyui(upscale, model, part_of_pack):
    restore, runtime = part_of_pack("vsr_core.restore"), part_of_pack("vsr_core.runtime").StandaloneRuntime
    alone = restore.restore(
        frames(7).movedim(-1, 1), model.restorer, runtime("cpu", "fp32"), restore.Settings(), total=7
    )
    assert torch.allclose(upscale(frames(7)), torch.cat(list(alone)).movedim(1, -1), atol=1e-6)


def test_alpha_is_kept_and_enlarged(upscale):
    images = frames(2, 16, 16, channels=4)
    images[..., 3] = 0.5
    enlarged = upscale(images)
    assert enlarged.shape == (2, 64, 64, 4)
    assert torch.allclose(enlarged[..., 3], torch.tensor(0.5), atol=1e-6)
    assert torch.equal(enlarged[..., :3], upscale(images[..., :3]))


def test_strength_zero_is_the_input_enlarged_by_bicubic_interpolation(upscale, part_of_pack):
    bicubic = part_of_pack("vsr_core.clip").resize_bicubic(frames().movedim(-1, 1), 68, 76)
    assert torch.allclose(upscale(frames(), strength=0.0), bicubic.movedim(1, -1), atol=1e-6)


def test_a_color_mode_reaches_the_library(upscale):
    assert not torch.allclose(upscale(frames(), color="none"), upscale(frames(), color="wavelet"), atol=1e-3)


def test_tiling_reaches_the_library(execute, model, upscale, part_of_pack):
    tiling = execute("VSRTemporalTiling", window=2, overlap=1, tile=0, tile_overlap=0, scene_cuts=False)
    Tiling = part_of_pack("vsr_core.tiling").Tiling
    assert tiling == Tiling(window=2, overlap=1, scene_cuts=False)
    assert upscale(frames(7), tiling=tiling).shape == (7, 68, 76, 3)
    assert not torch.equal(upscale(frames(7), tiling=tiling), upscale(frames(7)))


def test_zeros_mean_automatic(execute, part_of_pack):
    tiling = execute("VSRTemporalTiling", window=0, overlap=0, tile=0, tile_overlap=0, scene_cuts=True)
    assert tiling == part_of_pack("vsr_core.tiling").Tiling()


def test_the_latent_has_the_layout_of_comfyuis_video_latents(execute, model):
    latent = execute("VSROneStepUpscale", model=model, images=frames(3, 16, 20), seed=0, strength=1.0)
    batch, _, count, height, width = latent["samples"].shape
    stride = model.restorer.requirements.latent_stride
    assert (batch, count, height, width) == (1, 3, 16 // stride, 20 // stride)


def test_a_latent_from_elsewhere_is_refused(execute, model, part_of_pack):
    with pytest.raises(part_of_pack("vsr_core.errors").SettingError, match="One-Step Upscale"):
        latent = {"samples": torch.zeros(1, 4, 8, 8)}
        execute("VSRVideoVAEDecode", model=model, latent=latent, color="auto")


def test_a_latent_of_another_architecture_is_refused(execute, model, part_of_pack):
    latent = execute("VSROneStepUpscale", model=model, images=frames(), seed=0, strength=1.0)
    latent["vsr_source"] = replace(latent["vsr_source"], architecture="other")
    with pytest.raises(part_of_pack("vsr_core.errors").SettingError, match="other"):
        execute("VSRVideoVAEDecode", model=model, latent=latent, color="auto")


def test_a_latent_of_a_model_of_another_size_is_refused(execute, model, part_of_pack):
    latent = execute("VSROneStepUpscale", model=model, images=frames(), seed=0, strength=1.0)
    latent["samples"] = latent["samples"][:, 1:]
    with pytest.raises(part_of_pack("vsr_core.errors").SettingError, match="latent channels"):
        execute("VSRVideoVAEDecode", model=model, latent=latent, color="auto")
