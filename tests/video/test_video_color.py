"""Colours keep their meaning: known code values of the standards in, the same RGB out, and back."""

from fractions import Fraction

import av
import media
import numpy as np
import pytest
import torch

from vsr_core.errors import VideoError
from vsr_core.video import ColorTags, open_writer, probe, read_frames
from vsr_core.video.color import enlarge_chroma, halve_chroma, rgb_from_yuv, usual_matrix, yuv_from_rgb
from vsr_core.video.picture import to_rgb

RED_CODES = [
    (1, 1, (63, 102, 240)),
    (5, 1, (81, 90, 240)),
    (6, 1, (81, 90, 240)),
    (9, 1, (74, 97, 240)),
    (1, 2, (54, 99, 255)),
    (5, 2, (76, 85, 255)),
]
"""H.273 matrix, range, and the 8-bit Y, Cb, Cr of pure red."""


def write_codes(path, codes, *, tags, pixel_format="yuv444p", height=16, width=16):
    """Write two lossless frames whose planes hold constant code values."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for number in range(2):
            frame = av.VideoFrame(width, height, pixel_format)
            bits = frame.format.components[0].bits
            for plane, code in zip(frame.planes, codes):
                dtype = np.uint8 if bits == 8 else np.uint16
                plane.update(np.full(plane.buffer_size // np.dtype(dtype).itemsize, code, dtype).tobytes())
            frame.pts, frame.time_base = number, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("matrix", "color_range", "codes"), RED_CODES)
def test_tagged_code_values_of_red_are_read_as_red(tmp_path, matrix, color_range, codes):
    file = write_codes(tmp_path / "red.mkv", codes, tags={"colorspace": matrix, "color_range": color_range})
    image = next(read_frames(file)).image
    torch.testing.assert_close(image[:, 8, 8], torch.tensor([1.0, 0.0, 0.0]), atol=0.006, rtol=0)


@pytest.mark.parametrize(("matrix", "color_range", "codes"), RED_CODES)
def test_red_is_written_with_the_matrix_and_range_it_is_tagged_with(tmp_path, matrix, color_range, codes):
    tags = {"colorspace": matrix, "color_range": color_range, "color_primaries": 1, "color_trc": 1}
    source = probe(write_codes(tmp_path / "in.mkv", codes, tags=tags))
    red = torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 16, 16)
    with open_writer(tmp_path / "out.mp4", height=16, width=16, source=source) as writer:
        writer.write(red, Fraction(0))
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        written = [np.frombuffer(plane, np.uint8)[0] for plane in frame.planes]
    assert np.abs(np.subtract(written, codes, dtype=int)).max() <= 1
    assert probe(tmp_path / "out.mp4").color == source.color
    assert source.color == ColorTags(primaries=1, transfer=1, matrix=matrix, range=color_range)


def test_an_untagged_video_is_read_as_players_do_and_tagged_so_when_it_is_enlarged(tmp_path):
    source = probe(write_codes(tmp_path / "small.mkv", (81, 90, 240), tags={}))
    assert (source.color.matrix, source.color.range) == (6, 1)
    red = torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 720, 1280)
    with open_writer(tmp_path / "large.mp4", height=720, width=1280, source=source) as writer:
        writer.write(red, Fraction(0))
    assert probe(tmp_path / "large.mp4").color.matrix == 6
    torch.testing.assert_close(
        next(read_frames(tmp_path / "large.mp4")).image[:, 360, 640], red[:, 0, 0], atol=0.012, rtol=0
    )


def test_the_usual_matrix_is_bt709_for_large_pictures_only():
    sizes = [(480, 720), (576, 1024), (720, 960), (500, 1280)]
    assert [usual_matrix(*size) for size in sizes] == [6, 6, 1, 1]


def test_an_unknown_matrix_is_refused_by_number(tmp_path):
    file = write_codes(tmp_path / "odd.mkv", (81, 90, 240), tags={"colorspace": 8})
    with pytest.raises(VideoError, match="number 8"):
        next(read_frames(file))


def test_ten_bit_steps_that_eight_bits_would_merge_stay_apart(tmp_path):
    tags = {"colorspace": 1, "color_range": 1}
    values = []
    for code in (500, 501):
        file = write_codes(tmp_path / f"{code}.mkv", (code, 512, 512), tags=tags, pixel_format="yuv444p10le")
        values.append(next(read_frames(file)).image[0, 0, 0].item())
    assert values[1] - values[0] == pytest.approx(1 / 876, rel=1e-3)
    assert probe(file).bit_depth == 10


@pytest.mark.parametrize("matrix", [1, 5, 9])
def test_yuv_and_back_is_the_identity(matrix):
    rgb = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rgb_from_yuv(*yuv_from_rgb(rgb, matrix), matrix), rgb, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pixel_format", ["nv12", "yuyv422", "p010le", "yuv420p10be", "yuvj420p", "uyvy422"])
def test_every_layout_of_the_same_picture_reads_like_planar_yuv(pixel_format):
    smooth = np.linspace(60, 180, 32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)
    planar = {"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yuvj420p": "yuv420p"}.get(pixel_format, "yuv420p")
    original = av.VideoFrame.from_ndarray(smooth, format="rgb24")
    color = ColorTags(matrix=5, range=2 if pixel_format == "yuvj420p" else 1)
    expected = to_rgb(original.reformat(format=planar, dst_colorspace=5, dst_color_range=color.range), color, "h264")[0]
    repacked = original.reformat(format=pixel_format, dst_colorspace=5, dst_color_range=color.range)
    torch.testing.assert_close(to_rgb(repacked, color, "h264")[0], expected, atol=0.012, rtol=0)


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgra", "gbrp", "rgb48be", "gray", "gray16be", "ya8", "pal8"])
def test_rgb_and_grey_layouts_read_exactly(pixel_format):
    grey = np.arange(0, 256, dtype=np.uint8).reshape(16, 16)
    deep = grey * np.uint16(257)
    if pixel_format == "pal8":
        palette = np.stack([np.full(256, 255)] + [np.arange(256)] * 3, -1).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray((grey, palette), format="pal8")
    elif pixel_format in ("rgb48be", "gray16be"):
        picture = deep if pixel_format == "gray16be" else np.stack([deep] * 3, -1)
        frame = av.VideoFrame.from_ndarray(picture, format=pixel_format)
    else:
        source = av.VideoFrame.from_ndarray(np.stack([grey] * 3, -1), format="rgb24")
        frame = source.reformat(format=pixel_format, dst_color_range=2)
    rgb, alpha = to_rgb(frame, ColorTags(matrix=0, range=2), "png")
    expected = torch.from_numpy(grey / 255.0).float().expand(3, 16, 16)
    torch.testing.assert_close(rgb, expected, atol=0.004 if pixel_format == "pal8" else 1e-6, rtol=0)
    assert (alpha is None) == (pixel_format not in ("bgra", "ya8"))


def test_left_sited_chroma_is_not_moved_by_halving_and_enlarging():
    ramp = torch.arange(32, dtype=torch.float32).repeat(32, 1)
    for plane in (ramp, ramp.T):
        small = halve_chroma(plane)
        assert small.shape == (16, 16)
        enlarged = enlarge_chroma(small, 32, 32, step_y=2, step_x=2, left=True)
        torch.testing.assert_close(enlarged[8:24, 8:24], plane[8:24, 8:24])
    torch.testing.assert_close(halve_chroma(ramp)[8, 2:14], torch.arange(4, 28, 2).float())


def test_centred_chroma_lies_half_a_pixel_further_right():
    small = torch.arange(8, dtype=torch.float32).repeat(4, 1)
    enlarged = enlarge_chroma(small, 8, 16, step_y=2, step_x=2, left=False)
    torch.testing.assert_close(enlarged[3, 4:12], (torch.arange(4, 12) + 0.5) / 2 - 0.5)


def test_chroma_of_uneven_sizes_is_enlarged_to_the_size_of_luma():
    for step_y, step_x in ((1, 2), (2, 2), (1, 4), (4, 4), (2, 1)):
        small = torch.full((-(-7 // step_y), -(-9 // step_x)), 0.25)
        enlarged = enlarge_chroma(small, 7, 9, step_y=step_y, step_x=step_x, left=True)
        torch.testing.assert_close(enlarged, torch.full((7, 9), 0.25))


def test_a_video_without_a_source_is_tagged_bt709(tmp_path):
    with open_writer(tmp_path / "out.mp4", height=16, width=16) as writer:
        writer.write(torch.full((3, 16, 16), 0.5), Fraction(0))
    assert probe(tmp_path / "out.mp4").color == ColorTags(primaries=1, transfer=1, matrix=1, range=1)


def test_colors_survive_reading_and_writing_a_tagged_clip(tmp_path):
    tags = {"colorspace": 1, "color_range": 2, "color_primaries": 1, "color_trc": 1}
    source = probe(media.make_video(tmp_path / "in.mp4", height=96, width=128, tags=tags, audio=None))
    frames = list(read_frames(source.path))
    with open_writer(tmp_path / "out.mp4", height=96, width=128, source=source) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time)
    copies = list(read_frames(tmp_path / "out.mp4"))
    shift = torch.stack([(a.image - b.image).mean((1, 2)) for a, b in zip(frames, copies)])
    assert shift.abs().max() < 0.004
    assert probe(tmp_path / "out.mp4").color == source.color
