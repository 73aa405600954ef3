"""Run ComfyUI without a screen on the CPU, with this pack as its only custom node."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path

from .tree import REPOSITORY, ComfyUITree, ComfyUIUnavailable

PACK = "comfyui-one-step-vsr"
START_SECONDS = 240
CPU_TORCH = Path(__file__).parent / "cpu_torch"


def server_environment() -> dict[str, str]:
    """Return the environment in which ComfyUI's Python can import CUDA wheels beside a CPU torch.

    One thread by default: tiny networks gain nothing from more, and lose much on a machine that is busy.
    """
    return {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": str(CPU_TORCH)}


class ComfyUIServer:
    """A running server; its folders (input, output, models, ...) are inside `base`."""

    def __init__(self, base: Path, port: int):
        self.base = base
        self.address = f"127.0.0.1:{port}"
        self.client_id = uuid.uuid4().hex

    @property
    def log(self) -> str:
        return (self.base / "server.log").read_text(errors="replace")

    def get_text(self, path: str) -> str:
        """Return what is at `path`."""
        return self._ask(urllib.request.Request(f"http://{self.address}{path}"))

    def get(self, path: str):
        """Return the JSON at `path`."""
        return json.loads(self.get_text(path))

    def post(self, path: str, content: dict):
        """Send JSON and return the JSON that is answered, if any; a refusal is raised with its text."""
        body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
        answer = self._ask(urllib.request.Request(f"http://{self.address}{path}", body, headers))
        return json.loads(answer) if answer else None

    def upload(self, file: Path) -> str:
        """Upload `file` the way the editor does and return the name to use in Load Video."""
        boundary = uuid.uuid4().hex
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="image"; filename="{file.name}"\r\nContent-Type: video/mp4\r\n\r\n'
        )
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        request = urllib.request.Request(f"http://{self.address}/upload/image", body, headers)
        return json.loads(self._ask(request))["name"]

    def _ask(self, request: urllib.request.Request) -> str:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode()
            raise AssertionError(f"{request.full_url} answered {error.code}: {said}") from error


@contextmanager
def running_server(tree: ComfyUITree, base: Path, pack: Path = REPOSITORY, frontend: Path | None = None):
    """Start a server on a free port with empty folders in `base`, yield it, stop it.

    `pack` is the folder of the nodes; `frontend` that of the editor, which is not served without it.
    """
    prepare_folders(base, pack)
    server = ComfyUIServer(base, free_port())
    with open(base / "server.log", "wb") as log:
        process = subprocess.Popen(
            command(tree, server, frontend or base / "no_frontend"),
            cwd=tree.path,
            env=server_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_up(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def prepare_folders(base: Path, pack: Path = REPOSITORY) -> None:
    for name in ("custom_nodes", "input", "output", "models/vsr", "user", "temp", "no_frontend"):
        (base / name).mkdir(parents=True)
    (base / "no_frontend" / "index.html").touch()
    try:
        (base / "custom_nodes" / PACK).symlink_to(pack, target_is_directory=True)
    except OSError:  # Windows without the right to link
        ignored = shutil.ignore_patterns(".*", "out", "runs", "tests")
        shutil.copytree(pack, base / "custom_nodes" / PACK, ignore=ignored)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(tree: ComfyUITree, server: ComfyUIServer, frontend: Path) -> list[str]:
    host, port = server.address.split(":")
    return [
        str(tree.python), "main.py", "--cpu", "--listen", host, "--port", port,
        "--disable-auto-launch", "--disable-api-nodes",
        "--base-directory", str(server.base), "--front-end-root", str(frontend),
        "--disable-all-custom-nodes", "--whitelist-custom-nodes", PACK,
        "--database-url", "sqlite:///:memory:",
    ]  # fmt: skip


def wait_until_up(server: ComfyUIServer, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.get("/system_stats")
            return
        except OSError:
            time.sleep(0.5)
    raise ComfyUIUnavailable(f"ComfyUI did not start; the end of its log:\n{server.log[-4000:]}")
