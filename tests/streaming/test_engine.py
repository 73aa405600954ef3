"""Videos are restored segment by segment; whatever interrupts that, it goes on to the same file."""

import os
import shutil
from pathlib import Path

import av
import pytest
import torch
from media import audio_packets, cut_off, gratings, make_images, make_video
from restorers import Pointwise, Seeded, Watched, tiny_restorer
from streaming.jobs import Stopped, Stopping, frame_digests, job, names, upscale

from vsr_core.contract import STAGES
from vsr_core.errors import SettingError, VideoError
from vsr_core.runtime import FrameCounter
from vsr_core.streaming import TargetSize, finish, identify, prepare, run_segments, unfinished
from vsr_core.streaming.publish import join, publish
from vsr_core.video import Quality, read_frames

LOSSLESS = Quality(codec="ffv1")


class TileMean(Pointwise):
    """Shows which tiles a frame was cut into."""

    def step(self, latent, *, noise=None, text=None):
        return (latent + latent.mean((-2, -1), keepdim=True)) / 2


def tags_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


@pytest.fixture(scope="module")
def expected(video, tmp_path_factory) -> Path:
    """What an uninterrupted run makes of the video."""
    return upscale(video, tmp_path_factory.mktemp("expected") / "out.mp4").path


class TestResult:
    @pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov", "out"])
    def test_it_has_every_frame_and_nothing_else_is_left(self, video, tmp_path, name):
        result = upscale(video, tmp_path / name)
        assert (result.path, result.frames, result.height, result.width) == (tmp_path / name, 30, 72, 104)
        assert (result.segments, result.resumed) == (4, 0)
        assert names(tmp_path) == [name]
        assert len(list(read_frames(result.path))) == 30

    def test_frames_are_those_of_the_unsegmented_run(self, video, tmp_path):
        restorer, chosen = tiny_restorer(), {"quality": LOSSLESS}
        short, long = (
            upscale(video, tmp_path / f"{s}.mkv", restorer=restorer, job_settings={**chosen, "segment_seconds": s}).path
            for s in (0.3, 100)
        )
        images = [torch.stack([frame.image for frame in read_frames(path)]) for path in (short, long)]
        difference = (images[0] - images[1]).abs()
        assert difference.max() < 0.01 and difference.mean() < 1e-5  # other batches round in another way, seldom seen

    def test_times_and_sound_are_the_inputs(self, video, expected):
        assert [f.time for f in read_frames(expected)] == [f.time for f in read_frames(video)]
        assert [data for _, data in audio_packets(expected)] == [data for _, data in audio_packets(video)]

    def test_a_part_of_the_frames_is_restored_as_it_is_in_the_whole(self, video, tmp_path):
        restorer = Seeded()
        whole = upscale(video, tmp_path / "whole", restorer=restorer).path
        part = upscale(video, tmp_path / "part", restorer=restorer, job_settings={"frames": (17, 23)}).path
        assert frame_digests(part) == frame_digests(whole)[17:23]

    def test_images_keep_their_names(self, tmp_path):
        source = make_images(tmp_path / "in", gratings(14, 16, 20), names=[f"{n}.png" for n in range(14)])
        result = upscale(source, tmp_path / "out", job_settings={"segment_seconds": 0.2})
        assert result.segments > 1
        assert names(tmp_path / "out") == sorted(f"{n}.png" for n in range(14))

    def test_progress_counts_the_frames_of_the_whole_video(self, video, tmp_path):
        runtime = Watched()
        upscale(video, tmp_path / "out.mp4", runtime=runtime)
        for stage in ("scan", "encode", "step", "decode"):
            done = [report[1] for report in runtime.reports if report[0] == stage]
            assert done == sorted(done)
            assert done[-1] == 30
        assert {total for _, _, total in runtime.reports} == {30}

    @pytest.mark.parametrize("policy", ["reprocess", "crossfade"])
    def test_one_bar_over_all_stages_rises_up_to_all_frames(self, video, tmp_path, policy):
        runtime, counter = Watched(), FrameCounter(["scan", *STAGES])
        upscale(video, tmp_path / "out.mp4", runtime=runtime, job_settings={"policy": policy})
        shown = [counter.update(stage, done) for stage, done, _ in runtime.reports]
        assert shown == sorted(shown)
        assert shown[-1] == 30
        assert {"scan", *STAGES} == {stage for stage, _, _ in runtime.reports}
        last = [max(done for name, done, _ in runtime.reports if name == stage) for stage in STAGES]
        assert last == [30, 30, 30]


class TestResume:
    @pytest.mark.parametrize("tiles", [3, 9, 14, 20])
    @pytest.mark.parametrize("name", ["out.mp4", "out"])
    def test_going_on_after_a_stop_gives_the_same_file(self, video, tmp_path, tiles, name):
        once, target = upscale(video, tmp_path / "once" / name).path, tmp_path / "again" / name
        with pytest.raises(Stopped):
            upscale(video, target, runtime=Stopping(tiles))
        assert not target.exists()
        left = unfinished(job(video, target))
        result = upscale(video, target, resume=True)
        assert result.resumed == (left.done if left else 0)
        assert names(target.parent) == [name]
        if target.is_dir():
            assert {f.name: f.read_bytes() for f in target.iterdir()} == {
                f.name: f.read_bytes() for f in once.iterdir()
            }
        else:
            assert target.read_bytes() == once.read_bytes()

    def test_a_run_stopped_at_every_segment_gets_there(self, video, tmp_path, expected):
        target, kept = tmp_path / "out.mp4", []
        for _ in range(20):
            try:
                upscale(video, target, runtime=Stopping(11), resume=True)
                break
            except Stopped:
                kept.append(unfinished(job(video, target)).done)
        assert kept == sorted(set(kept))
        assert len(kept) > 1
        assert target.read_bytes() == expected.read_bytes()

    def test_progress_goes_on_where_it_was(self, video, tmp_path):
        target, runtime = tmp_path / "out.mp4", Watched()
        with pytest.raises(Stopped):
            upscale(video, target, runtime=Stopping(14))
        upscale(video, target, runtime=runtime, resume=True)
        decoded = [report[1] for report in runtime.reports if report[0] == "decode"]
        assert 0 < decoded[0] <= decoded[1]
        assert decoded[-1] == 30
        assert "scan" not in {report[0] for report in runtime.reports}

    @pytest.mark.parametrize("checks", [0, 7, 31])
    def test_nothing_is_kept_of_a_run_that_finished_no_segment(self, video, tmp_path, checks):
        def stop(count: int) -> None:
            if count == checks:
                raise Stopped

        with pytest.raises(Stopped):
            upscale(video, tmp_path / "out.mp4", runtime=Watched(before_tile=stop))
        assert names(tmp_path) == []

    def test_a_damaged_segment_is_made_again(self, video, tmp_path, expected):
        target = tmp_path / "out.mp4"
        with pytest.raises(Stopped):
            upscale(video, target, runtime=Stopping(14))
        segment = next((tmp_path / "out.mp4.parts").glob("segment_*.mkv"))
        segment.write_bytes(segment.read_bytes()[:-1] + b"x")
        done = unfinished(job(video, target)).done
        assert upscale(video, target, resume=True).resumed == done - 1
        assert target.read_bytes() == expected.read_bytes()

    def test_tiles_are_those_of_the_first_run_however_much_memory_is_free(self, video, tmp_path):
        def small() -> TileMean:
            return TileMean(bytes_per_pixel=5000, min_tile=16)

        once, target, free = tmp_path / "once.mp4", tmp_path / "out.mp4", 8_000_000
        upscale(video, once, restorer=small(), runtime=Watched(free=free))
        with pytest.raises(Stopped):
            upscale(video, target, restorer=small(), runtime=Stopping(40, free=free))
        assert upscale(video, target, restorer=small(), resume=True).resumed > 0
        assert target.read_bytes() == once.read_bytes()
        assert upscale(video, tmp_path / "rich.mp4", restorer=small()).path.read_bytes() != once.read_bytes()

    def test_a_result_that_a_crash_left_beside_its_parts_is_recognised(self, video, tmp_path):
        for name in ("out.mp4", "out"):
            with pytest.raises(Stopped), prepare(job(video, tmp_path / name), Pointwise(), Watched()) as work:
                run_segments(work, work.missing(), Pointwise(), Watched())
                publish(work, [*join(work), "a note"])
                raise Stopped
            assert names(tmp_path) == [name, f"{name}.parts"]
            result = upscale(video, tmp_path / name, resume=True, runtime=Stopping(0))
            assert (result.frames, result.notes) == (30, ["a note"])
            assert names(tmp_path) == [name]
            (shutil.rmtree if result.path.is_dir() else os.remove)(result.path)

    def test_another_file_in_its_place_is_not_taken_for_it(self, video, tmp_path):
        target = tmp_path / "out.mp4"
        with pytest.raises(Stopped), prepare(job(video, target), Pointwise(), Watched()) as work:
            run_segments(work, work.missing(), Pointwise(), Watched())
            publish(work, join(work))
            raise Stopped
        target.write_bytes(b"mine")
        with pytest.raises(VideoError, match=r"out\.mp4 already exists"):
            upscale(video, target, resume=True)
        assert target.read_bytes() == b"mine"


@pytest.fixture
def begun(video, tmp_path) -> Path:
    """The target of a run that was stopped half-way."""
    target = tmp_path / "out.mp4"
    with pytest.raises(Stopped):
        upscale(video, target, runtime=Stopping(14))
    return target


class TestRefusal:
    def test_unfinished_work_is_not_gone_on_with_unasked(self, video, begun):
        before = names(begun.parent / "out.mp4.parts")
        with pytest.raises(VideoError, match=r"holds \d of 4 segments of an unfinished run. --resume .* goes on"):
            upscale(video, begun)
        assert names(begun.parent / "out.mp4.parts") == before

    def test_restarting_deletes_it_and_no_file_of_others(self, video, begun, expected):
        mine = begun.parent / "out.mp4.parts" / "segment notes.txt"
        mine.write_text("mine")
        assert upscale(video, begun, restart=True).resumed == 0
        assert begun.read_bytes() == expected.read_bytes()
        assert names(mine.parent) == ["segment notes.txt"]

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"seed": 1}, r"settings seed was 0, is 1"),
            ({"window": 6}, r"settings tiling.window was 5, is 6"),
            ({"policy": "crossfade"}, r"settings policy was reprocess, is crossfade"),
            ({"quality": Quality(crf=30)}, r"settings quality.codec was h264, is None"),
            ({"segment_seconds": 0.4}, r"settings segment_seconds was 0.5, is 0.4"),
            ({"frames": (0, 20)}, r"settings frames was \[0, None\], is \[0, 20\]"),
            ({"audio": False}, r"settings audio was True, is False"),
        ],
    )
    def test_a_changed_setting_is_named(self, video, begun, changed, named):
        with pytest.raises(SettingError, match=named):
            upscale(video, begun, job_settings=changed, resume=True)

    def test_a_changed_model_is_named(self, video, begun):
        restorer = Pointwise()
        restorer.parts["decoder"].gain.fill_(0.5)
        with pytest.raises(SettingError, match=r"of something else: model blake2b was \w+, is \w+. Use what"):
            upscale(video, begun, restorer=restorer, resume=True)

    def test_a_changed_input_is_named(self, tmp_path, begun):
        other = make_video(tmp_path / "other.mp4", frames=30, height=18, width=26, rate=25)
        with pytest.raises(SettingError, match=r"of something else: input"):
            upscale(other, begun, resume=True)

    def test_neither_name_nor_time_of_the_input_matters(self, video, tmp_path, begun, expected):
        moved = Path(shutil.copy(video, tmp_path / "moved.mp4"))
        os.utime(moved, (1, 2_000_000_000))
        assert upscale(moved, begun, resume=True).resumed > 0
        assert begun.read_bytes() == expected.read_bytes()

    def test_other_tags_do_not_matter(self, video, begun):
        tags = {"tags": {"prompt": '{"1": "another graph"}'}}
        assert upscale(video, begun, job_settings=tags, resume=True).resumed > 0
        assert tags_of(begun)["prompt"] == '{"1": "another graph"}'

    def test_what_the_work_is_for_may_be_told_by_the_caller(self, video, begun):
        same, other = (identify(job(video, begun, seed=seed), Pointwise()) for seed in (0, 1))
        assert same.name != other.name
        with pytest.raises(SettingError, match="settings seed was 0, is 1"):
            upscale(video, begun, identity=other, resume=True)
        assert upscale(video, begun, identity=same, resume=True).resumed > 0

    def test_a_manifest_that_is_damaged_is_named(self, video, begun):
        (begun.parent / "out.mp4.parts" / "manifest.json").write_text("{")
        with pytest.raises(VideoError, match=r"manifest\.json cannot be used.*--restart"):
            upscale(video, begun, resume=True)

    def test_a_file_at_the_target_is_left_alone(self, video, tmp_path):
        target = tmp_path / "out.mp4"
        target.write_bytes(b"mine")
        with pytest.raises(VideoError, match="already exists"):
            upscale(video, target)
        assert names(tmp_path) == ["out.mp4"]
        assert upscale(video, target, overwrite=True).frames == 30

    def test_the_second_of_two_runs_at_once_is_refused(self, video, tmp_path):
        target = tmp_path / "out.mp4"
        with prepare(job(video, target), Pointwise(), Watched()) as work:
            for how in ({}, {"resume": True}, {"restart": True}):
                with pytest.raises(VideoError, match=r"out\.mp4\.parts is being written by another run"):
                    upscale(video, target, **how)
            run_segments(work, work.missing(), Pointwise(), Watched())
            assert finish(work).frames == 30
        assert names(tmp_path) == ["out.mp4"]


class TestTrouble:
    def test_an_input_that_changes_meanwhile_spoils_no_segment(self, video, tmp_path, expected):
        source, target = Path(shutil.copy(video, tmp_path / "in.mp4")), tmp_path / "out.mp4"

        def spoil(number, before, after):
            if number == 20:
                source.write_bytes(video.read_bytes() + b"more")

        with pytest.raises(VideoError, match=r"in\.mp4 was changed.*segments are kept in .*--resume .* goes on"):
            upscale(source, target, observer=spoil)
        source.write_bytes(video.read_bytes())
        assert upscale(source, target, resume=True).resumed > 0
        assert target.read_bytes() == expected.read_bytes()

    def test_touching_the_input_changes_nothing(self, video, tmp_path, expected):
        source, target = Path(shutil.copy(video, tmp_path / "in.mp4")), tmp_path / "out.mp4"
        upscale(source, target, observer=lambda number, before, after: os.utime(source, (number, number)))
        assert target.read_bytes() == expected.read_bytes()

    def test_a_work_folder_that_is_deleted_meanwhile_is_named(self, video, tmp_path, expected):
        target = tmp_path / "out.mp4"

        def delete(number, before, after):
            if number == 12:
                shutil.rmtree(tmp_path / "out.mp4.parts")

        with pytest.raises(VideoError, match=r"out\.mp4\.parts, where the unfinished work lay, was deleted"):
            upscale(video, target, observer=delete)
        assert not target.exists()
        upscale(video, target, resume=True)
        assert target.read_bytes() == expected.read_bytes()

    def test_a_full_disk_leaves_work_to_go_on_with(self, video, tmp_path, expected):
        resource = pytest.importorskip("resource")
        target = tmp_path / "out.mp4"
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)

        def fill(number, before, after):
            if number == 20:
                resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))

        try:
            with pytest.raises(VideoError, match=r"not written: .*segments are kept in .*--resume .* goes on"):
                upscale(video, target, observer=fill)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert not list((tmp_path / "out.mp4.parts").glob(".*"))
        assert upscale(video, target, resume=True).resumed > 0
        assert target.read_bytes() == expected.read_bytes()

    def test_a_truncated_input_stops_or_is_finished_as_far_as_it_goes(self, tmp_path):
        source = cut_off(make_video(tmp_path / "in.mkv", frames=50, height=18, width=26, rate=25), 0.6)
        with pytest.raises(VideoError, match=r"damaged at frame \d+.*--on-error finish"):
            upscale(source, tmp_path / "out.mp4")
        assert names(tmp_path) == ["in.mkv"]
        result = upscale(source, tmp_path / "out.mp4", job_settings={"on_error": "finish"})
        assert 10 < result.frames < 50
        assert "damaged" in result.notes[0]
        assert len(frame_digests(result.path)) == result.frames

    def test_an_error_of_the_observer_arrives(self, video, tmp_path):
        def fail(number, before, after):
            raise RuntimeError("mine")

        with pytest.raises(RuntimeError, match="mine"):
            upscale(video, tmp_path / "out.mp4", observer=fail)
        assert names(tmp_path) == []

    def test_settings_that_fit_nothing_write_nothing(self, video, tmp_path):
        with pytest.raises(SettingError, match="no frame number 99"):
            upscale(video, tmp_path / "out.mp4", job_settings={"frames": (99, None)})
        with pytest.raises(VideoError, match="a video must end in"):
            upscale(video, tmp_path / "out.avi")
        with pytest.raises(SettingError, match="Target height is 71; this codec needs a multiple of 2, such as 72"):
            upscale(video, tmp_path / "out.mp4", job_settings={"size": TargetSize(height=71)})
        assert names(tmp_path) == []
