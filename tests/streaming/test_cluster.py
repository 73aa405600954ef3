"""Segments on a Ray cluster of this machine: the same result, whatever happens to a worker."""

import os
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from comfyui.tiny_model import write_tiny_models
from streaming.jobs import job

from vsr_core.errors import MissingPackageError, SettingError, VideoError
from vsr_core.load import load_restorer
from vsr_core.runtime import StandaloneRuntime
from vsr_core.streaming import upscale_video
from vsr_core.streaming.cluster import ATTEMPTS, RayPool
from vsr_core.streaming.distribute import upscale_videos

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install .[distributed]")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_tiny_models(folder)
    return folder / "tiny.safetensors"


@pytest.fixture(scope="module")
def expected(video, model, tmp_path_factory) -> bytes:
    """What one process makes of the video, with one thread, as a worker has: with more it rounds in another way."""
    target, threads = tmp_path_factory.mktemp("expected") / "out.mp4", torch.get_num_threads()
    torch.set_num_threads(1)
    upscale_video(job(video, target), load_restorer(model), StandaloneRuntime("cpu"))
    torch.set_num_threads(threads)
    return target.read_bytes()


@pytest.fixture(scope="module")
def pool(model):
    with RayPool(model, workers=2, device="cpu", dtype="fp32") as running:
        yield running


def upscale(pool, model, *jobs, **how) -> list:
    found = upscale_videos(jobs, pool, load_restorer(model), StandaloneRuntime("cpu"), **how)
    return [outcome for _, outcome in found]


def kill(pool, worker) -> None:
    """Kill the process of a worker as the system does when memory is short."""
    os.kill(pool.ray.get(worker.__ray_call__.remote(lambda self: os.getpid())), signal.SIGKILL)


class Killing:
    """Kills the worker of every task that `chosen` names, as soon as it has it."""

    def __init__(self, pool, chosen):
        self.pool, self.chosen, self.killed = pool, chosen, 0
        self.run = pool.run

    def __enter__(self):
        submit = self.pool.submit

        def submit_and_kill(worker, task):
            done = submit(worker, task)
            if self.chosen(task, self.killed):
                self.killed += 1
                kill(self.pool, worker)
            return done

        self.pool.submit = submit_and_kill
        return self

    def __exit__(self, *_):
        del self.pool.submit


@needs_ray
def test_two_workers_write_the_same_file_as_one_process(pool, video, model, expected, tmp_path):
    (result,) = upscale(pool, model, job(video, tmp_path / "out.mp4"))
    assert result.segments == 4
    assert (tmp_path / "out.mp4").read_bytes() == expected


@needs_ray
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_workers_segment_is_done_by_another(pool, video, model, expected, tmp_path):
    with Killing(pool, lambda task, killed: task.segment.index == 1 and killed == 0) as killing:
        (result,) = upscale(pool, model, job(video, tmp_path / "out.mp4"))
    assert killing.killed == 1
    assert result.frames == 30
    assert (tmp_path / "out.mp4").read_bytes() == expected


@needs_ray
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_segment_that_kills_every_worker_is_given_up_and_the_rest_kept(pool, video, model, tmp_path):
    with Killing(pool, lambda task, killed: task.segment.index == 3) as killing:
        (error,) = upscale(pool, model, job(video, tmp_path / "out.mp4"))
    assert killing.killed == ATTEMPTS
    assert isinstance(error, VideoError)
    assert "Workers died 3 times" in str(error)
    assert "3 of 4 segments are kept" in str(error)


@needs_ray
def test_an_error_in_a_worker_arrives_as_it_is(pool, video, model, tmp_path):
    def lose_the_input(done: int, total: int) -> None:
        copy.write_bytes(b"something else")

    copy = tmp_path / "in.mp4"
    copy.write_bytes(video.read_bytes())
    (error,) = upscale(pool, model, job(copy, tmp_path / "out.mp4"), seen=lose_the_input)
    assert isinstance(error, VideoError)
    assert "Traceback" not in str(error)


@needs_ray
def test_progress_reaches_all_frames(pool, video, model, tmp_path):
    reports: list[tuple[int, int]] = []
    upscale(pool, model, job(video, tmp_path / "out.mp4"), seen=lambda *report: reports.append(report))
    assert {total for _, total in reports} == {30}
    assert reports[-1][0] == 30


@needs_ray
def test_workers_say_what_they_have(pool):
    facts = pool.facts()
    assert facts.device == "cpu"
    assert facts.memory > 0


def test_without_ray_the_error_says_how_to_install_it(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"pip install \.\[distributed\]"):
        RayPool(model)


@needs_ray
def test_an_address_where_nobody_answers_is_named(model):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingError, match=f"No Ray cluster answers at {address}"), RayPool(model, address=address):
            pass
