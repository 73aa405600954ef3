"""Spread the videos of a folder over several ComfyUI servers. Needs Python alone, and the pack on every server.

    python queue_folder.py videos/ results/ --server 127.0.0.1:8188 --server gpu2:8188

Each server works on one video at a time and takes the next one when it is done. A video whose server falls silent goes
to another server. One whose result is in the folder of results already is left out, so the same command goes on where
it stopped. Exits with 0, with 1 if a video was not upscaled, with 2 for bad usage.
"""

import argparse
import copy
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode

WORKFLOW = Path(__file__).with_name("upscale_video.json")
VIDEOS = {".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv"}
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0  # a server may be silent for so long before its video goes to another
ANSWER_SECONDS, TRANSFER_SECONDS = 30.0, 600.0
ATTEMPTS = 3  # to do a video, where servers vanish under it
CHUNK = 2**20


class Refused(Exception):
    """A server said no, or failed at the video: asking again would change nothing."""


class Vanished(Exception):
    """A server is silent, or has forgotten what it was asked to do."""


class Stopped(Exception):
    """The user pressed Ctrl-C."""


class Server:
    """One ComfyUI, spoken to over HTTP. Every method raises Refused or Vanished."""

    def __init__(self, address: str):
        self.url = (address if "://" in address else f"http://{address}").rstrip("/")

    def get(self, path: str):
        """Return the JSON at `path`."""
        with self._answer(urllib.request.Request(self.url + path)) as answer:
            return json.load(answer)

    def post(self, path: str, content: dict):
        """Send JSON; return the JSON that is answered, or None."""
        headers = {"Content-Type": "application/json"}
        with self._answer(urllib.request.Request(self.url + path, json.dumps(content).encode(), headers)) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def is_up(self) -> bool:
        with suppress(Refused, Vanished):
            return self.get("/system_stats") is not None
        return False

    def upload(self, video: Path) -> str:
        """Send `video` to the server's input folder and return its name there; the same file is not stored twice."""
        boundary, name = uuid.uuid4().hex, video.name.replace('"', "_")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + video.stat().st_size + len(tail)),
        }
        request = urllib.request.Request(f"{self.url}/upload/image", _chunks(head, video, tail), headers)
        try:
            with self._answer(request, TRANSFER_SECONDS) as answer:
                return json.load(answer)["name"]
        except (Refused, Vanished) as error:
            self.get("/system_stats")  # a server that is still there hung up on purpose
            advice = "ComfyUI takes files of 100 MB; start it with --max-upload-size MEGABYTES for larger ones."
            raise Refused(f"{self.url} did not take the file: {error}. {advice}") from error

    def download(self, entry: dict, target: Path) -> None:
        """Write the file that `entry` of a history names to `target`, which appears when it is complete."""
        query = urlencode({key: entry.get(key, "") for key in ("filename", "subfolder", "type")})
        temporary = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex[:8]}")
        try:
            request = urllib.request.Request(f"{self.url}/view?{query}")
            with temporary.open("xb") as file, self._answer(request, TRANSFER_SECONDS) as answer:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _answer(self, request: urllib.request.Request, seconds: float = ANSWER_SECONDS) -> Iterator:
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            raise Refused(f"{error.code} {error.reason}, {error.read().decode(errors='replace')[:2000]}") from error
        except (OSError, HTTPException) as error:
            raise Vanished(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from error


def _chunks(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk
    yield tail


class Work:
    """The videos that are still to do. Workers take them, and settle them or give them back."""

    def __init__(self, videos: list[Path]):
        self.todo, self.taken, self.begun = deque(videos), 0, Counter()
        self.failed: dict[str, str] = {}  # the video's name: why
        self.stop = threading.Event()
        self.changed = threading.Condition()

    def take(self) -> Path | None:
        """Return the next video; wait while others may give theirs back; None: nothing is left to do."""
        with self.changed:
            while not (self.todo or not self.taken or self.stop.is_set()):
                self.changed.wait(POLL_SECONDS)
            if not self.todo or self.stop.is_set():
                return None
            self.taken += 1
            self.begun[self.todo[0]] += 1
            return self.todo.popleft()

    def settle(self, video: Path, why: str | None = None, *, again: bool = False) -> None:
        """Note that `video` is done, or why not; `again`: another server may have it, unless it was tried enough."""
        with self.changed:
            self.taken -= 1
            if again and self.begun[video] < ATTEMPTS:
                self.todo.append(video)
            elif why is not None:
                self.failed[video.name] = why
            self.changed.notify_all()


def upscale(server: Server, graph: dict, video: Path, out: Path, stop: threading.Event) -> list[Path]:
    """Let `server` run `graph` on `video`; return the files written to `out`."""
    prompt = filled_in(graph, server.upload(video), video.stem)
    queued = server.post("/prompt", {"prompt": prompt})
    if queued.get("node_errors"):
        raise Refused(f"the graph was refused: {json.dumps(queued['node_errors'])}")
    written = []
    for number, file in enumerate(results(wait_for(server, queued["prompt_id"], stop))):
        name = f"{video.stem}_{number}" if number else video.stem
        written.append(out / f"{name}{Path(file['filename']).suffix}")
        server.download(file, written[-1])
    return written


def filled_in(graph: dict, file: str, stem: str) -> dict:
    """Return `graph` with the name of the video to load and names for what is saved."""
    filled, loaders = copy.deepcopy(graph), 0
    for node in filled.values():
        if node["class_type"] == "LoadVideo":
            node["inputs"]["file"] = file
            loaders += 1
        elif "filename_prefix" in node["inputs"]:
            folder = node["inputs"]["filename_prefix"].rpartition("/")[0]
            node["inputs"]["filename_prefix"] = f"{folder}/{stem}".lstrip("/").replace("%", "_")
    if loaders != 1:
        raise Refused(f"the graph has {loaders} Load Video nodes; it needs one that takes the file")
    return filled


def wait_for(server: Server, prompt_id: str, stop: threading.Event) -> dict:
    """Return the history of a prompt that succeeded. On `stop` the server is told to cancel it."""
    heard = time.monotonic()
    while not stop.wait(POLL_SECONDS):
        try:
            waiting = is_queued(server, prompt_id)
            history = server.get(f"/history/{prompt_id}").get(prompt_id)
        except Vanished:
            if time.monotonic() - heard > PATIENCE_SECONDS:
                raise
            continue
        heard = time.monotonic()
        if history:
            return succeeded(history)
        if not waiting:
            raise Vanished(f"{server.url} has forgotten its work; it was restarted, or its queue was cleared")
    with suppress(Refused, Vanished):
        server.post("/queue", {"delete": [prompt_id]})
        if is_queued(server, prompt_id):
            server.post("/interrupt", {"prompt_id": prompt_id})
    raise Stopped


def is_queued(server: Server, prompt_id: str) -> bool:
    """Tell whether the prompt waits or runs. Entries of the queue are (number, prompt id, ...)."""
    queue = server.get("/queue")
    return any(entry[1] == prompt_id for entry in [*queue["queue_running"], *queue["queue_pending"]])


def succeeded(history: dict) -> dict:
    """Return `history` if the run succeeded; raise Refused with what the server says about it otherwise."""
    status = history.get("status") or {}
    for kind, said in status.get("messages", []):
        if kind == "execution_error":
            raise Refused(f"{said.get('node_type')}: {str(said.get('exception_message')).strip()}")
    if status.get("status_str") != "success":
        raise Refused(f"the run ended as {status.get('status_str')!r}; was it cancelled on the server?")
    return history


def results(history: dict) -> list[dict]:
    """Return the saved files of a run: those in the server's output folder."""
    entries = [entry for shown in history["outputs"].values() for listed in shown.values() for entry in listed]
    saved = [entry for entry in entries if isinstance(entry, dict) and entry.get("type") == "output"]
    if not saved:
        raise Refused("the graph saved nothing; end it with Upscale Video or Save Video")
    return saved


def serve(server: Server, graph: dict, work: Work, out: Path) -> None:
    """Let one server work until nothing is left or it vanishes."""
    while (video := work.take()) is not None:
        say(f"{video.name}: to {server.url}")
        try:
            written = upscale(server, graph, video, out, work.stop)
        except Vanished as error:
            say(f"{video.name}: {error}")
            work.settle(video, str(error), again=True)
            if not server.is_up():
                return say(f"{server.url} gets no more videos")
        except (Refused, OSError) as error:
            say(f"{video.name}: failed: {error}")
            work.settle(video, str(error))
        except Stopped:
            work.settle(video, "stopped")
        else:
            say(f"{video.name}: done: {', '.join(map(str, written))}")
            work.settle(video)
    return None


say = partial(print, flush=True)


def videos_to_do(folder: Path, out: Path) -> list[Path]:
    """Return the videos of `folder` that have no result in `out`, by name; raise ValueError if there is none at all."""
    videos = sorted(file for file in folder.iterdir() if file.suffix.lower() in VIDEOS) if folder.is_dir() else []
    if not videos:
        raise ValueError(f"{folder} holds no videos")
    twice = [stem for stem, count in Counter(video.stem for video in videos).items() if count > 1]
    if twice:
        raise ValueError(f"several videos are called {', '.join(twice)}, and their results would be; rename them")
    done = {file.stem for file in out.iterdir()} if out.is_dir() else set()
    return [video for video in videos if video.stem not in done]


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="IN_DIR", help="videos to upscale")
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="where the results go, under the same names")
    parser.add_argument("--server", action="append", metavar="HOST:PORT", help="once per server (127.0.0.1:8188)")
    parser.add_argument("--workflow", type=Path, default=WORKFLOW, metavar="JSON", help="in API format")
    given = parser.parse_args(words)
    try:
        graph = json.loads(given.workflow.read_text(encoding="utf-8"))
        work = Work(videos_to_do(given.folder, given.out))
        given.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    servers = [Server(address) for address in given.server or ["127.0.0.1:8188"]]
    threads = [threading.Thread(target=serve, args=(server, graph, work, given.out)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("stopping; the same command goes on later")
        work.stop.set()
    for thread in threads:
        thread.join()
    left = work.failed | {video.name: "no server was left to do it" for video in work.todo}
    for name, why in sorted(left.items()):
        print(f"not upscaled: {name}: {why}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
