"""The example client, run as a user would, against a real ComfyUI server."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

CLIENT = Path(__file__).parents[2] / "workflows" / "api" / "client.py"
TINY = ["--set", "3.model_name=tiny.safetensors"]

pytestmark = pytest.mark.comfyui


def command(server, *arguments) -> list[str]:
    return [sys.executable, str(CLIENT), *map(str, arguments), "--server", server.address]


def run(server, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run(command(server, *arguments), capture_output=True, text=True, timeout=240)


def hear_ctrl_c() -> None:
    """Undo what a shell does to what it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_clip_goes_in_and_its_result_comes_out(server, clip, tmp_path):
    done = run(server, clip, tmp_path / "results", *TINY)
    assert done.returncode == 0, done.stderr
    [result] = (tmp_path / "results").iterdir()
    assert done.stdout.split() == [str(result)]
    with av.open(str(clip)) as small, av.open(str(result)) as large:
        a, b = small.streams.video[0], large.streams.video[0]
        assert (b.width, b.height) == (4 * a.width, 4 * a.height)
        assert sum(1 for _ in large.decode(b)) == sum(1 for _ in small.decode(a)) == 8
    assert "One-Step Upscale: 8 of 8" in done.stderr


def test_all_files_of_a_graph_that_saves_several_are_downloaded(server, clip, tmp_path):
    graph = CLIENT.with_name("restore_only.json")
    done = run(server, clip, tmp_path, "--graph", graph, *TINY, "--set", "11.width=132", "--set", "5.seed=3")
    assert done.returncode == 0, done.stderr
    assert {path.name.split("_0")[0] for path in tmp_path.iterdir()} == {"restored_x1", "restored_720"}


def test_a_file_of_that_name_is_kept(server, clip, tmp_path):
    names = ["--set", "8.filename_prefix=kept/mine", *TINY]
    (tmp_path / "mine_00001_.mp4").write_bytes(b"mine")
    done = run(server, clip, tmp_path, *names)
    assert done.returncode == 1
    assert "mine_00001_.mp4 exists already" in done.stderr
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


def test_what_the_server_refuses_is_told_in_words(server, clip, tmp_path):
    done = run(server, clip, tmp_path, "--set", "3.model_name=absent.safetensors")
    assert done.returncode == 1
    assert "VSRLoadModel" in done.stderr
    assert "absent.safetensors" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_fails_says_which_node_and_why(server, clip, tmp_path):
    done = run(server, clip, tmp_path, *TINY, "--set", "4.window=4", "--set", "4.overlap=4")
    assert done.returncode == 1
    assert "VSRTemporalTiling failed" in done.stderr or "VSROneStepUpscale failed" in done.stderr
    assert "overlap" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone there")
def test_ctrl_c_stops_the_run_on_the_server_too(server, clip, tmp_path):
    pieces = ["--set", "4.window=2", "--set", "4.overlap=1", "--set", "4.tile=16", "--set", "4.tile_overlap=8"]
    with subprocess.Popen(
        command(server, clip, tmp_path, *pieces, "--set", "5.strength=0.5"),  # the built-in model, which takes a while
        stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c,
    ) as client:  # fmt: skip
        for line in client.stderr:
            if line.startswith("One-Step Upscale"):
                client.send_signal(signal.SIGINT)
                break
        client.communicate(timeout=120)
    assert client.returncode == 130
    assert ending_of_the_run_with(server, strength=0.5) == "execution_interrupted"


def ending_of_the_run_with(server, strength: float) -> str:
    """Return how the only run with this strength ended, once it has."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs = server.get("/history").values()
        found = [each for each in runs if each["prompt"][2].get("5", {}).get("inputs", {}).get("strength") == strength]
        if found:
            return found[0]["status"]["messages"][-1][0]
        time.sleep(0.2)
    raise AssertionError(f"No run ended; the server's log:\n{server.log[-2000:]}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "99.model_name=x"], "no input 99.model_name; it has 1.file"),
        (["--set", "model_name"], "NODE.INPUT=VALUE"),
        (["--graph", CLIENT.parents[1] / "adcvsr.json"], "no graph in API format"),
        (["--graph", "absent.json"], "absent.json cannot be read"),
    ],
)
def test_arguments_that_make_no_sense_are_bad_usage(clip, tmp_path, arguments, said):
    done = subprocess.run(
        [sys.executable, str(CLIENT), str(clip), str(tmp_path), *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_a_clip_that_is_not_there_is_bad_usage(tmp_path):
    done = subprocess.run([sys.executable, str(CLIENT), "absent.mp4", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "absent.mp4 is not a file" in done.stderr


def test_a_server_that_is_not_there_is_named(clip, tmp_path):
    arguments = [sys.executable, str(CLIENT), str(clip), str(tmp_path), "--server", "127.0.0.1:9"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 1
    assert "No ComfyUI answers at http://127.0.0.1:9" in done.stderr
