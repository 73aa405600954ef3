"""Processes that are killed at any moment leave work that another process takes up."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from media import audio_packets, make_video
from streaming.jobs import frame_digests, names

TESTS = Path(__file__).parents[1]
KILLS = 3


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return make_video(tmp_path_factory.mktemp("in") / "in.mp4", frames=50, height=16, width=24, rate=25)


def start(source: Path, target: Path) -> subprocess.Popen:
    paths = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, Path(__file__).with_name("run_job.py"), source, target]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def done(folder: Path) -> int:
    return len(list(folder.glob("segment_*.json")))


def wait_for_segments(count: int, folder: Path, run: subprocess.Popen) -> None:
    """Return when `count` segments are done or the process has ended."""
    while done(folder) < count and run.poll() is None:
        time.sleep(0.01)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_gives_the_file_of_one_that_is_not(source, tmp_path):
    once, target, parts = tmp_path / "once.mp4", tmp_path / "out.mp4", tmp_path / "out.mp4.parts"
    start(source, once).communicate(timeout=300)
    moments, killed = random.Random(0), 0
    for _ in range(KILLS):
        run, before = start(source, target), done(parts)
        wait_for_segments(before + 1, parts, run)
        time.sleep(moments.uniform(0, 0.2))
        killed += run.poll() is None
        run.kill()
        run.communicate()
        assert target.exists() or done(parts) > before
    assert killed > 0
    run = start(source, target)
    assert run.communicate(timeout=300)[1] == "" or target.exists()
    assert names(tmp_path) == ["once.mp4", "out.mp4"]
    assert frame_digests(target) == frame_digests(once)
    assert audio_packets(target) == audio_packets(source)
    assert target.read_bytes() == once.read_bytes()


def test_a_second_process_on_the_same_output_is_refused_and_the_first_goes_on(source, tmp_path):
    target, parts = tmp_path / "out.mp4", tmp_path / "out.mp4.parts"
    first = start(source, target)
    wait_for_segments(1, parts, first)
    first.send_signal(signal.SIGSTOP)
    try:
        assert "is being written by another run" in start(source, target).communicate(timeout=300)[1]
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.communicate(timeout=300)[1] == ""
    assert names(tmp_path) == ["out.mp4"]


def test_ctrl_c_keeps_the_finished_segments_and_no_half_one(source, tmp_path):
    target, parts = tmp_path / "out.mp4", tmp_path / "out.mp4.parts"
    run = start(source, target)
    wait_for_segments(1, parts, run)
    run.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in run.communicate(timeout=300)[1]
    assert not target.exists()
    kept = names(parts)
    segments = [name.removesuffix(".mkv") for name in kept if name.endswith(".mkv")]
    assert kept == sorted(["manifest.json", *(name + end for name in segments for end in (".json", ".mkv"))])
