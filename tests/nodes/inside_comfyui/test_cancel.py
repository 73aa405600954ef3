"""After Cancel no more tiles are begun."""

import comfy.model_management as management
import pytest
from comfy_api.latest import InputImpl, Types

MODELS = ("tiny.safetensors", "tiny_fusing.safetensors", "tiny_video.safetensors")
STAGES = ("encode", "step", "decode")
AT = 3


@pytest.fixture(params=MODELS)
def any_model(execute, request):
    return execute("VSRLoadModel", model_name=request.param, dtype="fp32")


@pytest.fixture
def tiling(execute):
    """Small pieces."""
    return execute("VSRTemporalTiling", window=3, overlap=1, tile=16, tile_overlap=8)


@pytest.fixture
def begun(any_model, monkeypatch):
    """Count the tiles that are begun of all stages, and press Cancel in one of a stage."""

    def cancel_in(stage: str) -> list[str]:
        tiles = []

        def watched(name, compute):
            def begin(*arguments, **options):
                tiles.append(name)
                if tiles.count(stage) == AT:
                    management.interrupt_current_processing()
                return compute(*arguments, **options)

            return begin

        for name in STAGES:
            monkeypatch.setattr(any_model.restorer, name, watched(name, getattr(any_model.restorer, name)))
        return tiles

    return cancel_in


@pytest.mark.parametrize("stage", STAGES)
def test_the_tile_at_hand_is_the_last_one(execute, any_model, tiling, moving, begun, stage):
    tiles = begun(stage)
    with pytest.raises(management.InterruptProcessingException):
        latent = execute("VSROneStepUpscale", model=any_model, images=moving(12, 48, 64), tiling=tiling)
        execute("VSRVideoVAEDecode", model=any_model, latent=latent, tiling=tiling)
    assert tiles.count(stage) == AT
    assert tiles[-1] == stage


@pytest.mark.parametrize("stage", STAGES)
def test_a_video_that_is_upscaled_as_a_file_stops_as_soon(
    node_classes, any_model, tiling, moving, begun, stage, monkeypatch, tmp_path
):
    import folder_paths

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    node = node_classes["VSRUpscaleVideo"]
    widgets = {given.id: given.default for given in node.define_schema().inputs if hasattr(given, "default")}
    known = {name: value for name, value in widgets.items() if value is not None}
    video = InputImpl.VideoFromComponents(Types.VideoComponents(images=moving(12, 48, 64), frame_rate=10))
    tiles = begun(stage)
    with pytest.raises(management.InterruptProcessingException):
        node.PREPARE_CLASS_CLONE({}).execute(**known | {"model": any_model, "video": video, "tiling": tiling})
    assert tiles.count(stage) == AT
    assert tiles[-1] == stage
    assert not list(tmp_path.rglob("*.mp4"))
