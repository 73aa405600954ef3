"""`upscale`: videos and folders in, videos and folders out, nothing unfinished left behind."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from media import audio_packets, gratings, make_images, make_video
from PIL import Image

from vsr_core.cli.main import main
from vsr_core.clip import resize_bicubic
from vsr_core.video import probe, read_frames

ROOT = Path(__file__).parents[2]


@pytest.fixture
def upscale(model):
    """Run `upscale` with the tiny model on the CPU; return the exit code."""

    def run(source: Path, target: Path, *options: object) -> int:
        words = ["upscale", source, target, "--model", model, "--device", "cpu", "--dtype", "fp32", *options]
        return main([str(word) for word in words])

    return run


def failed(capsys) -> str:
    """Return what was said on stderr, where nothing was said on stdout."""
    heard = capsys.readouterr()
    assert heard.out == ""
    return heard.err.splitlines()[-1]


class TestVideos:
    def test_frames_size_rate_and_sound_arrive(self, upscale, video, tmp_path):
        out = tmp_path / "out.mp4"
        assert upscale(video, out) == 0
        before, after = probe(video), probe(out)
        assert (after.frames, after.height, after.width) == (9, 72, 104)
        assert after.frame_rate == before.frame_rate == 25
        assert [frame.time for frame in read_frames(out)] == [frame.time for frame in read_frames(video)]
        assert [data for _, data in audio_packets(out)] == [data for _, data in audio_packets(video)]

    @pytest.mark.parametrize("options", [(), ("--alignment", "latents", "--window", "5", "--tile", "16")])
    def test_a_model_that_fuses_frames_restores_as_many(self, upscale, fusing_model, video, tmp_path, options):
        out = tmp_path / "out.mp4"
        assert upscale(video, out, "--model", fusing_model, *options) == 0
        assert (probe(out).frames, probe(out).height, probe(out).width) == (9, 72, 104)

    def test_the_closing_line_has_every_figure(self, upscale, video, tmp_path, capsys):
        out = tmp_path / "out.mkv"
        upscale(video, out)
        line = capsys.readouterr().out.splitlines()[-1]
        pattern = (
            r"9 frames in [\d.]+ s \([\d.]+ fps\); seconds: encode [\d.]+ / step [\d.]+ / decode [\d.]+; "
            rf"peak memory [\d.]+ GiB on cpu; 104x72 -> {re.escape(str(out))}"
        )
        assert re.fullmatch(pattern, line)
        assert not re.search(r"peak memory 0\.00", line)

    @pytest.mark.parametrize(
        ("text", "wanted"), [("2:5", [2, 3, 4]), (":3", [0, 1, 2]), ("7:", [7, 8]), ("7:99", [7, 8])]
    )
    def test_a_part_of_the_frames_is_upscaled(self, upscale, video, tmp_path, text, wanted, capsys):
        assert upscale(video, tmp_path / "out", "--frames", text, "--strength", "0") == 0
        assert capsys.readouterr().out.startswith(f"{len(wanted)} frames")
        frames = list(read_frames(video))
        for found, number in zip(read_frames(tmp_path / "out"), wanted, strict=True):
            expected = resize_bicubic(frames[number].image[None], 72, 104)[0]
            assert (found.image - expected).abs().max() < 0.01

    def test_the_same_command_writes_the_same_pictures(self, upscale, video, tmp_path):
        for name in ("a", "b"):
            assert upscale(video, tmp_path / name, "--window", 4, "--tile", 16, "--seed", 3) == 0
        names = sorted(file.name for file in (tmp_path / "a").iterdir())
        assert len(names) == 9
        assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)

    def test_one_frame_is_a_video_too(self, upscale, tmp_path):
        source = make_video(tmp_path / "in.mp4", frames=1, height=16, width=16, audio=None)
        assert upscale(source, tmp_path / "out.mp4") == 0
        assert probe(tmp_path / "out.mp4").frames == 1

    def test_the_comparison_shows_both_beside_each_other(self, upscale, video, tmp_path):
        picture = tmp_path / "sub" / "compare.png"
        assert upscale(video, tmp_path / "out.mp4", "--compare", picture) == 0
        with Image.open(picture) as image:
            assert image.size == (2 * 104 + 8, 2 * 72 + 8)


class TestFolders:
    def test_a_folder_of_images_becomes_a_folder_of_images_under_the_same_names(self, upscale, tmp_path):
        source = make_images(tmp_path / "in", gratings(3, 16, 20), names=["b2.png", "b10.png", "a.jpg"])
        assert upscale(source, tmp_path / "out") == 0
        assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.png", "b10.png", "b2.png"]
        assert probe(tmp_path / "out").width == 80

    def test_transparency_is_kept(self, upscale, tmp_path):
        opacity = np.linspace(0, 255, 20).round().astype(np.uint8)
        clip = np.concatenate([gratings(2, 16, 20), np.broadcast_to(opacity[:, None], (2, 16, 20, 1))], axis=3)
        assert upscale(make_images(tmp_path / "in", clip), tmp_path / "out") == 0
        expected = resize_bicubic(torch.from_numpy(opacity / 255).float().expand(1, 1, 16, 20), 64, 80)[0]
        found = list(read_frames(tmp_path / "out"))
        assert len(found) == 2
        assert all((frame.alpha - expected).abs().max() < 0.01 for frame in found)


class TestBadUsage:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--frames", "5"], "--frames takes A:B"),
            (["--frames", "a:b"], "--frames takes A:B"),
            (["--frames", "5:3"], "Frames 5:3 are no range"),
            (["--frames", "4:4"], "Frames 4:4 are no range"),
            (["--frames", "0:0"], "Frames 0:0 are no range"),
            (["--frames", "-3:"], "Frames -3:None are no range"),
            (["--frames", "99:"], "has no frame number 99"),
            (["--tile", "16", "--tile-overlap", "16"], "tile_overlap is 16; it must be smaller than tile"),
            (["--window", "4", "--overlap", "9"], "overlap is 9; it must be smaller than window"),
            (["--overlap", "99"], "overlap is 99 frames; it must be smaller than the window"),
            (["--strength", "1.5"], "Strength is 1.5"),
            (["--flow", "raft"], "raft needs a weights file"),
            (["--flow-weights", "raft.pth"], "dis-medium uses no weights"),
            (["--decoder", "taew2_1.pth"], "cannot decode this model's latents (adc_vsr)"),
        ],
    )
    def test_settings_that_make_no_sense_are_2_and_write_nothing(
        self, upscale, video, tmp_path, capsys, options, message
    ):
        options = [f"--frames={options[1]}"] if options[0] == "--frames" else options
        assert upscale(video, tmp_path / "out.mp4", *options) == 2
        assert message in failed(capsys)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "options", [["--color", "sepia"], ["--dtype", "int8"], ["--device", "tpu"], ["--tile", "x"]]
    )
    def test_words_that_are_none_of_the_choices_are_2(self, upscale, video, tmp_path, options):
        assert upscale(video, tmp_path / "out.mp4", *options) == 2
        assert list(tmp_path.iterdir()) == []


class TestFailures:
    def test_an_input_that_is_not_there_is_named(self, upscale, tmp_path, capsys):
        assert upscale(tmp_path / "in.mp4", tmp_path / "out.mp4") == 1
        assert "in.mp4" in failed(capsys)
        assert list(tmp_path.iterdir()) == []

    def test_an_input_that_is_no_video_is_named(self, upscale, tmp_path, capsys):
        (tmp_path / "in.mp4").write_text("no video")
        assert upscale(tmp_path / "in.mp4", tmp_path / "out.mp4") == 1
        assert "in.mp4" in failed(capsys)
        assert [file.name for file in tmp_path.iterdir()] == ["in.mp4"]

    def test_an_output_that_is_there_already_is_left_alone(self, upscale, video, tmp_path, capsys):
        out = tmp_path / "out.mp4"
        out.write_bytes(b"mine")
        assert upscale(video, out) == 1
        assert "out.mp4 already exists" in failed(capsys)
        assert [(file, file.read_bytes()) for file in tmp_path.iterdir()] == [(out, b"mine")]

    def test_it_is_replaced_where_that_is_asked_for(self, upscale, video, tmp_path):
        out = tmp_path / "out.mp4"
        out.write_bytes(b"mine")
        assert upscale(video, out, "--overwrite") == 0
        assert probe(out).frames == 9

    def test_a_folder_with_files_in_it_is_left_alone_even_so(self, upscale, video, tmp_path, capsys):
        out = tmp_path / "out"
        out.mkdir()
        (out / "frame_000001.png").write_bytes(b"mine")
        assert upscale(video, out, "--overwrite") == 1
        assert "is not empty" in failed(capsys)
        assert (out / "frame_000001.png").read_bytes() == b"mine"

    def test_a_comparison_that_is_there_already_is_left_alone(self, upscale, video, tmp_path, capsys):
        picture = tmp_path / "compare.png"
        picture.write_bytes(b"mine")
        assert upscale(video, tmp_path / "out.mp4", "--compare", picture) == 1
        assert "compare.png already exists" in failed(capsys)
        assert [(file, file.read_bytes()) for file in tmp_path.iterdir()] == [(picture, b"mine")]
        assert upscale(video, tmp_path / "out.mp4", "--compare", picture, "--overwrite") == 0
        assert picture.read_bytes()[:4] == b"\x89PNG"

    @pytest.mark.parametrize("name", ["out.avi", "file/out.mp4"])
    def test_an_output_that_cannot_be_written_is_named(self, upscale, video, tmp_path, capsys, name):
        (tmp_path / "file").write_bytes(b"mine")
        assert upscale(video, tmp_path / name) == 1
        assert name in failed(capsys)
        assert [file.name for file in tmp_path.iterdir()] == ["file"]

    def test_a_model_that_is_nowhere_is_named(self, upscale, video, tmp_path, capsys):
        assert upscale(video, tmp_path / "out.mp4", "--model", "nobody") == 1
        assert "No model called 'nobody'" in failed(capsys)

    def test_errors_are_one_line_without_a_progress_bar(self, upscale, video, tmp_path, capsys):
        upscale(video, tmp_path / "out.mp4", "--model", "nobody")
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_ctrl_c_before_a_segment_is_complete_leaves_nothing(model, tmp_path):
    source = make_video(tmp_path / "in.mp4", frames=300, height=96, width=128)
    out = tmp_path / "out"
    out.mkdir()
    words = ["upscale", source, out / "out.mp4", "--model", model, "--device", "cpu"]
    command = [sys.executable, "-m", "vsr_core", *map(str, words)]
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not list(out.glob("*.parts/manifest.json")) and run.poll() is None:
        time.sleep(0.05)
    assert run.poll() is None, "it ended before anything was written"
    run.send_signal(signal.SIGINT)
    said, complained = run.communicate(timeout=120)
    assert run.returncode == 1
    assert said == ""
    assert complained.splitlines()[-1] == "stopped"
    assert list(out.iterdir()) == []
