"""queue_folder.py spreads videos over servers, and neither a broken video nor a lost server stops the rest."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from workflows.fake_comfyui import fake_comfyui

SCRIPT = Path(__file__).parents[2] / "workflows" / "api" / "queue_folder.py"


@pytest.fixture
def script(monkeypatch):
    """The client, with less patience."""
    spec = importlib.util.spec_from_file_location("queue_folder", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    return module


@pytest.fixture
def videos(tmp_path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mkv", "c.mov", "d.mp4"):
        (folder / name).write_bytes(name.encode() * 100)
    (folder / "notes.txt").write_bytes(b"no video")
    return folder


@pytest.fixture
def queue(script, videos, tmp_path):
    """Run the client on `videos` with servers that behave as given; return its exit code and the servers."""

    def run(*behaviours: dict):
        with ExitStack() as stack:
            servers = [stack.enter_context(fake_comfyui(**behaviour)) for behaviour in behaviours]
            named = [word for server in servers for word in ("--server", server.address)]
            return script.main([str(videos), str(tmp_path / "out"), *named]), servers

    return run


def written(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def reversed_copies(videos: Path, *stems: str) -> dict[str, bytes]:
    return {f"{file.stem}.mp4": file.read_bytes()[::-1] for file in videos.iterdir() if file.stem in stems}


def test_every_video_is_sent_to_one_server_and_its_result_fetched(queue, videos, tmp_path):
    code, servers = queue({}, {})
    assert code == 0
    assert written(tmp_path / "out") == reversed_copies(videos, "a", "b", "c", "d")
    assert sorted(name for server in servers for name in server.videos) == ["a.mp4", "b.mkv", "c.mov", "d.mp4"]


def test_results_are_called_after_their_video_in_the_folder_the_graph_names(queue):
    _, (server,) = queue({})
    prefixes = [graph["5"]["inputs"]["filename_prefix"] for graph in server.prompts.values()]
    assert prefixes == ["video/a", "video/b", "video/c", "video/d"]


def test_what_is_done_already_is_left_out(queue, videos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.mp4").write_bytes(b"mine")
    code, (server,) = queue({})
    assert (code, server.videos) == (0, ["a.mp4", "c.mov", "d.mp4"])
    assert (tmp_path / "out" / "b.mp4").read_bytes() == b"mine"


def test_a_video_that_fails_is_named_and_the_others_are_done(queue, videos, tmp_path, capsys):
    code, _ = queue({"breaks": ["b.mkv"]})
    assert code == 1
    assert written(tmp_path / "out") == reversed_copies(videos, "a", "c", "d")
    assert capsys.readouterr().err == "not upscaled: b.mkv: VSRUpscaleVideo: a broken frame\n"


def test_a_server_that_dies_loses_its_video_to_another(queue, videos, tmp_path):
    code, (alive, dead) = queue({}, {"dies_after": 1})
    assert code == 0
    assert len(dead.videos) == 1
    assert sorted(alive.videos) == ["a.mp4", "b.mkv", "c.mov", "d.mp4"]
    assert written(tmp_path / "out") == reversed_copies(videos, "a", "b", "c", "d")


def test_without_any_server_nothing_is_upscaled_and_every_video_named(queue, tmp_path, capsys):
    code, _ = queue({"dies_after": 0})
    assert code == 1
    assert [line.split(":")[1].strip() for line in capsys.readouterr().err.splitlines()] == [
        "a.mp4",
        "b.mkv",
        "c.mov",
        "d.mp4",
    ]
    assert written(tmp_path / "out") == {}


def test_a_video_that_a_server_forgot_is_queued_again(queue, videos, tmp_path):
    code, (server,) = queue({"forgets": ["b.mkv"]})
    assert (code, server.videos.count("b.mkv")) == (0, 2)
    assert written(tmp_path / "out") == reversed_copies(videos, "a", "b", "c", "d")


def test_a_file_too_large_for_the_server_is_refused_with_the_option_that_helps(queue, tmp_path, capsys):
    code, _ = queue({"limit": 300})
    assert code == 1
    assert "--max-upload-size" in capsys.readouterr().err
    assert written(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("names", "message"), [(["notes.txt"], "holds no videos"), (["a.mp4", "a.mov"], "several videos are called a")]
)
def test_a_folder_that_cannot_be_done_is_bad_usage(script, tmp_path, capsys, names, message):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    with pytest.raises(SystemExit) as stop:
        script.main([str(folder), str(tmp_path / "out")])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_cancels_what_runs_on_the_server(videos, tmp_path):
    with fake_comfyui(hangs=["a.mp4"]) as server:
        command = [sys.executable, SCRIPT, videos, tmp_path / "out", "--server", server.address]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not server.running and client.poll() is None:
            time.sleep(0.02)
        client.send_signal(signal.SIGINT)
        _, complained = client.communicate(timeout=60)
        assert client.returncode == 1
        assert server.cancelled == list(server.prompts)
        assert len(server.prompts) == 1
        assert "not upscaled: a.mp4: stopped" in complained
