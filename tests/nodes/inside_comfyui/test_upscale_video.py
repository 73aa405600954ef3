"""Upscale Video: from a VIDEO of any kind to a file in the output folder."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from comfy_api.latest import InputImpl, Types

RATE = Fraction(30000, 1001)
trims = pytest.mark.skipif(not hasattr(InputImpl.VideoFromFile, "as_trimmed"), reason="ComfyUI trims videos since 0.14")


@pytest.fixture
def output(tmp_path, monkeypatch) -> Path:
    """An output folder of its own."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    return tmp_path / "output"


@pytest.fixture
def upscale(node_classes, model, output):
    """Run the node with its widgets' defaults; return what it hands on and what it shows."""
    node = node_classes["VSRUpscaleVideo"]
    widgets = {given.id: given.default for given in node.define_schema().inputs if hasattr(given, "default")}

    def run(video, *, hidden=None, **inputs):
        known = {name: value for name, value in widgets.items() if value is not None}
        clone = node.PREPARE_CLASS_CLONE({"hidden_inputs": hidden or {}})
        done = clone.execute(**known | {"model": model, "video": video} | inputs)
        return done.args[0], done.ui if isinstance(done.ui, dict) else done.ui.as_dict()

    return run


@pytest.fixture
def sound():
    seconds = torch.arange(44100) / 44100
    return {"waveform": (440 * 6.2832 * seconds).sin().expand(1, 2, -1) * 0.3, "sample_rate": 44100}


@pytest.fixture
def in_memory(moving, sound):
    """A video as Create Video makes it: 12 frames of 48x40 and a second of sound."""
    return InputImpl.VideoFromComponents(Types.VideoComponents(images=moving(12, 40, 48), audio=sound, frame_rate=RATE))


@pytest.fixture
def in_a_file(in_memory, tmp_path):
    in_memory.save_to(str(tmp_path / "clip.mp4"))
    return InputImpl.VideoFromFile(str(tmp_path / "clip.mp4"))


def facts(path: str | Path) -> tuple:
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        frames = sum(1 for _ in video.decode(stream))
        return frames, stream.width, stream.height, stream.codec_context.name, len(video.streams.audio)


def tags_of(path: str | Path) -> dict[str, str]:
    with av.open(str(path)) as video:
        return dict(video.metadata)


def test_a_file_becomes_a_larger_file_that_is_handed_on_and_shown(upscale, in_a_file, output):
    video, shown = upscale(in_a_file)
    file = output / "video" / "upscaled_00001_.mp4"
    assert video.get_stream_source() == str(file)
    assert facts(file) == (12, 192, 160, "h264", 1)
    assert shown["images"] == [{"filename": file.name, "subfolder": "video", "type": "output"}]
    assert [path for path in output.rglob("*") if path.is_file()] == [file]


def test_a_second_result_gets_a_name_of_its_own(upscale, in_a_file, output):
    for _ in range(2):
        upscale(in_a_file, filename_prefix="take")
    assert sorted(path.name for path in output.glob("*.mp4")) == ["take_00001_.mp4", "take_00002_.mp4"]


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        ({"size": "x2"}, (12, 96, 80, "h264", 1)),
        ({"size": "height", "pixels": 120, "resize": "before"}, (12, 144, 120, "h264", 1)),
        ({"size": "width", "pixels": 64, "codec": "ffv1"}, (12, 64, 53, "ffv1", 1)),
        ({"codec": "prores"}, (12, 192, 160, "prores", 1)),
        ({"codec": "hevc", "container": "mkv", "crf": 30}, (12, 192, 160, "hevc", 1)),
    ],
)
def test_size_codec_and_container_are_chosen(upscale, in_a_file, inputs, wanted):
    assert facts(upscale(in_a_file, **inputs)[0].get_stream_source()) == wanted


def test_a_video_in_memory_keeps_its_frames_rate_and_sound(upscale, in_memory, part_of_pack):
    path = upscale(in_memory, strength=0.0, codec="ffv1")[0].get_stream_source()
    assert facts(path) == (12, 192, 160, "ffv1", 1)
    frames = list(part_of_pack("vsr_core.video").read_frames(path))
    assert [frame.time for frame in frames] == [number / RATE for number in range(12)]
    enlarged = part_of_pack("vsr_core.clip").resize_bicubic(in_memory.get_components().images.movedim(-1, 1), 160, 192)
    assert (torch.stack([frame.image for frame in frames]) - enlarged).abs().max() < 0.02


def test_a_video_in_memory_leaves_no_temporary_file(upscale, in_memory):
    import folder_paths

    upscale(in_memory)
    assert list(Path(folder_paths.get_temp_directory()).glob("vsr_*")) == []


def test_transparency_of_a_video_in_memory_is_kept(upscale, moving):
    opacity = torch.linspace(0, 1, 48).expand(4, 40, 48)
    images = torch.cat([moving(4, 40, 48), opacity[..., None]], dim=-1)
    video = InputImpl.VideoFromComponents(Types.VideoComponents(images=images, frame_rate=RATE))
    with av.open(upscale(video)[0].get_stream_source()) as written:
        assert written.streams.video[0].codec_context.pix_fmt.startswith("yuva444")


def test_a_video_that_is_bytes_is_upscaled_too(upscale, in_a_file):
    from io import BytesIO

    video = InputImpl.VideoFromFile(BytesIO(Path(in_a_file.get_stream_source()).read_bytes()))
    assert facts(upscale(video)[0].get_stream_source()) == (12, 192, 160, "h264", 1)


@trims
@pytest.mark.parametrize(
    ("start", "seconds", "frames"), [(0.1, 0.2, 6), (0.2, 0.0, 6), (0.0, 0.1, 3), (-0.1, 0.0, None)]
)
def test_a_trim_is_the_range_of_frames_that_comfyui_shows(upscale, in_a_file, start, seconds, frames):
    trimmed = in_a_file.as_trimmed(start, seconds, strict_duration=False)
    expected = len(trimmed.get_components().images)
    assert frames in (None, expected)
    assert facts(upscale(trimmed)[0].get_stream_source())[0] == expected


def test_the_graph_is_in_the_file_as_save_video_writes_it(upscale, in_a_file, tmp_path, monkeypatch):
    from comfy.cli_args import args
    from comfy_api.latest import io

    graph = {"1": {"class_type": "LoadVideo"}}
    hidden = {io.Hidden.prompt: graph, io.Hidden.extra_pnginfo: {"workflow": {"nodes": []}}}
    tags = tags_of(upscale(in_a_file, hidden=hidden)[0].get_stream_source())
    in_a_file.save_to(str(tmp_path / "core.mp4"), metadata={"workflow": {"nodes": []}, "prompt": graph})
    expected = tags_of(tmp_path / "core.mp4")
    assert {name: tags[name] for name in ("prompt", "workflow")} == {
        name: expected[name] for name in ("prompt", "workflow")
    }
    monkeypatch.setattr(args, "disable_metadata", True)
    assert "prompt" not in tags_of(upscale(in_a_file, hidden=hidden)[0].get_stream_source())


@trims
def test_a_trim_that_leaves_nothing_is_refused_in_words(upscale, in_a_file, setting_error):
    with pytest.raises(setting_error, match="No frame of clip.mp4 is between 99 s"):
        upscale(InputImpl.VideoFromFile(in_a_file.get_stream_source(), start_time=99))


def test_the_estimate_is_text_and_a_picture_and_saves_nothing(upscale, in_a_file, output, shown_picture):
    blocked, shown = upscale(in_a_file, estimate_only=True)
    assert type(blocked).__name__ == "ExecutionBlocker"
    (text,) = shown["text"]
    assert text.splitlines()[2].startswith("result       12 frames of 192x160, h264")
    assert shown_picture(shown).size == (2 * 192 + 8, 160)
    assert [path for path in output.rglob("*") if path.is_file()] == []


def test_what_was_interrupted_goes_on_and_gives_the_same_file(upscale, moving, output, part_of_pack, monkeypatch):
    import comfy.model_management as management

    clip = InputImpl.VideoFromComponents(Types.VideoComponents(images=moving(30, 24, 32), frame_rate=RATE))
    whole = Path(upscale(clip, segment_seconds=0.1, filename_prefix="whole")[0].get_stream_source())
    module = part_of_pack("nodes.upscale_video")
    report, folder = module.ComfyRuntime.progress, output / "vsr_unfinished"

    def interrupt(self, stage, done, total, preview=None):
        report(self, stage, done, total, preview)
        management.interrupt_current_processing(bool(list(folder.glob("*/segment_*.json"))))

    with monkeypatch.context() as patch, pytest.raises(management.InterruptProcessingException):
        patch.setattr(module.ComfyRuntime, "progress", interrupt)
        upscale(clip, segment_seconds=0.1, filename_prefix="again")
    assert len(list(folder.glob("*/segment_*.json"))) > 0
    assert not list(output.glob("again*"))
    again = Path(upscale(clip, segment_seconds=0.1, filename_prefix="again")[0].get_stream_source())
    assert again.read_bytes() == whole.read_bytes()
    assert not folder.exists()


@pytest.mark.parametrize("segments", ["reprocess", "crossfade"])
def test_one_bar_rises_over_reading_and_all_stages_up_to_all_frames(upscale, in_a_file, bars, segments):
    upscale(in_a_file, segment_seconds=0.1, segments=segments)
    values = [value for value, _, _ in bars]
    assert values == sorted(values)
    assert 0 < values[0] < 1
    assert values[-1] == 12
    assert {total for _, total, _ in bars} == {12}
    assert any(picture for _, _, picture in bars)
