"""As much of ComfyUI's HTTP interface as queueing needs, without anything behind it."""

import json
import re
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse


class FakeComfyUI(ThreadingHTTPServer):
    """Answers every prompt with the uploaded bytes reversed.

    `breaks` fail, `hangs` run for ever and `forgets` are lost once; they hold names of videos. `limit` is the most
    bytes an upload may have. After `dies_after` prompts (None: never) no request is answered any more.
    """

    daemon_threads = True

    def __init__(self, *, breaks=(), hangs=(), forgets=(), limit=10**6, dies_after=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks, self.hangs, self.forgets, self.limit = set(breaks), set(hangs), set(forgets), limit
        self.dies_after = dies_after
        self.uploads: dict[str, bytes] = {}
        self.prompts: dict[str, dict] = {}
        self.running: set[str] = set()
        self.cancelled: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def dead(self) -> bool:
        return self.dies_after is not None and len(self.prompts) >= self.dies_after

    @property
    def videos(self) -> list[str]:
        """The videos that prompts came for, in order."""
        return [prompt["1"]["inputs"]["file"] for prompt in self.prompts.values()]

    def queue(self, graph: dict) -> dict:
        number = str(uuid.uuid4())
        name = graph["1"]["inputs"]["file"]
        if name not in self.forgets:
            self.running.add(number)
        self.forgets.discard(name)
        self.prompts[number] = graph
        return {"prompt_id": number, "number": len(self.prompts), "node_errors": {}}

    def history(self, number: str) -> dict:
        """Return what there is about a prompt; asking lets it end, unless it hangs."""
        graph = self.prompts[number]
        name = graph["1"]["inputs"]["file"]
        if number not in self.running or name in self.hangs:
            return {}
        self.running.discard(number)
        if name in self.breaks:
            said = ["execution_error", {"node_type": "VSRUpscaleVideo", "exception_message": "a broken frame\n"}]
            return {number: {"outputs": {}, "status": {"status_str": "error", "messages": [said]}}}
        folder, _, prefix = graph["5"]["inputs"]["filename_prefix"].rpartition("/")
        file = {"filename": f"{prefix}_00001_.mp4", "subfolder": folder, "type": "output"}
        shown = {"images": [file], "animated": [True]}
        return {number: {"outputs": {"5": shown}, "status": {"status_str": "success", "messages": []}}}


class Handler(BaseHTTPRequestHandler):
    server: FakeComfyUI

    def do_GET(self):
        address = urlparse(self.path)
        if address.path == "/system_stats":
            self._answer({})
        elif address.path == "/queue":
            running = [[0, number, {}, {}, []] for number in self.server.running]
            self._answer({"queue_running": running, "queue_pending": []})
        elif address.path.startswith("/history/"):
            self._answer(self.server.history(address.path.rpartition("/")[2]))
        elif address.path == "/view":
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            stem = asked["filename"].removesuffix("_00001_.mp4")
            self._answer(next(data[::-1] for name, data in self.server.uploads.items() if name.startswith(stem + ".")))

    def do_POST(self):
        if int(self.headers["Content-Length"]) > self.server.limit:
            return self._answer({}, 413)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/upload/image":
            head, _, rest = body.partition(b"\r\n\r\n")
            name = re.search(rb'filename="([^"]+)"', head)[1].decode()
            self.server.uploads[name] = rest[: rest.rindex(b"\r\n--")]
            self._answer({"name": name, "subfolder": "", "type": "input"})
        elif self.path == "/prompt":
            self._answer(self.server.queue(json.loads(body)["prompt"]))
        elif self.path == "/interrupt":
            self.server.cancelled.append(json.loads(body)["prompt_id"])
            self._answer(b"")
        else:
            self._answer(b"")
        return None

    def _answer(self, content, status: int = 200):
        if self.server.dead:
            return self.connection.close()
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def fake_comfyui(**behaviour):
    """Run a FakeComfyUI in a thread."""
    with FakeComfyUI(**behaviour) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            yield server
        finally:
            server.shutdown()
