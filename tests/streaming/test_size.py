"""Results get the size that was asked for, and keep the shape of the picture on the screen."""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from media import make_video
from restorers import Pointwise, random_clip
from streaming.jobs import upscale

from vsr_core.clip import resize_bicubic
from vsr_core.errors import SettingError
from vsr_core.streaming import TargetSize
from vsr_core.streaming.size import resized
from vsr_core.video import Quality, probe, read_frames


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return probe(make_video(tmp_path_factory.mktemp("in") / "in.mp4", frames=2, height=54, width=72, rate=25))


class TestOutput:
    @pytest.mark.parametrize(
        ("asked", "height", "width"),
        [
            ({}, 216, 288),
            ({"scale": 2}, 108, 144),
            ({"scale": 1.5}, 81, 108),
            ({"scale": 6}, 324, 432),
            ({"height": 100}, 100, 133),
            ({"width": 100}, 75, 100),
        ],
    )
    def test_the_other_side_follows(self, source, asked, height, width):
        assert TargetSize(**asked).output(source, 4)[:2] == (height, width)

    @pytest.mark.parametrize("asked", [{}, {"scale": 1.3}, {"height": 100}, {"width": 98}])
    def test_sides_are_even_where_the_codec_needs_it(self, source, asked):
        height, width, *_ = TargetSize(**asked).output(source, 4, multiple=2)
        assert height % 2 == width % 2 == 0

    @pytest.mark.parametrize("shape", [Fraction(1), Fraction(16, 15), Fraction(8, 9)])
    @pytest.mark.parametrize("asked", [{}, {"scale": 1.3}, {"height": 100}, {"width": 98}])
    def test_the_shape_on_the_screen_is_exactly_the_inputs(self, source, asked, shape):
        source = replace(source, sample_aspect_ratio=shape)
        output = TargetSize(**asked).output(source, 4, multiple=2)
        before = source.width * shape / source.height
        assert output.width * output.sample_aspect_ratio / output.height == before

    @pytest.mark.parametrize("asked", [{"height": 101}, {"width": 101}])
    def test_a_side_that_the_codec_cannot_hold_is_refused(self, source, asked):
        with pytest.raises(SettingError, match="is 101; this codec needs a multiple of 2, such as 10[02]"):
            TargetSize(**asked).output(source, 4, multiple=2)

    def test_a_smaller_input_is_just_large_enough(self, source):
        output = TargetSize(height=100, resize="before").output(source, 4)
        assert (output.input_height, output.input_width) == (25, 34)
        assert TargetSize(height=100).output(source, 4)[3:] == (54, 72)

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ({"height": 100, "scale": 2}, "height and scale; give one"),
            ({"height": 0}, "height is 0; use a number above 0"),
            ({"scale": -1}, "scale is -1; use a number above 0"),
            ({"resize": "never"}, "'never'; choose after or before"),
        ],
    )
    def test_a_size_that_makes_no_sense_is_refused(self, asked, message):
        with pytest.raises(SettingError, match=message):
            TargetSize(**asked)


class TestResized:
    def test_shrinking_averages_instead_of_dropping_pixels(self):
        lines = torch.zeros(3, 32, 32)
        lines[:, ::2] = 1
        assert (resized(lines, 8, 32)[:, 2:-2] - 0.5).abs().max() < 0.05

    def test_a_picture_of_the_right_size_is_taken_as_it_is(self):
        picture = random_clip(1)[0]
        assert resized(picture, 16, 16) is picture


class TestFiles:
    @pytest.mark.parametrize("resize", ["after", "before"])
    def test_a_video_gets_the_size_and_the_shape(self, source, tmp_path, resize):
        chosen = {"size": TargetSize(height=130, resize=resize)}
        found = probe(upscale(source.path, tmp_path / "out.mp4", job_settings=chosen).path)
        assert (found.height, found.width) == (130, 174)
        assert abs(found.width * found.sample_aspect_ratio / found.height - Fraction(4, 3)) < 1e-3

    def test_after_reduces_the_result_and_before_the_input(self, source, tmp_path):
        pictures = [frame.image for frame in read_frames(source.path)]
        restorer = Pointwise()
        for resize in ("after", "before"):
            chosen = {"size": TargetSize(scale=2, resize=resize), "quality": Quality()}
            path = upscale(source.path, tmp_path / resize, restorer=restorer, job_settings=chosen).path
            for found, picture in zip(read_frames(path), pictures, strict=True):
                seen = picture if resize == "after" else resized(picture, 27, 36)
                large = seen.repeat_interleave(4, -1).repeat_interleave(4, -2)
                expected = resize_bicubic(large[None], 108, 144)[0]
                assert (found.image - expected).abs().max() < 0.01
