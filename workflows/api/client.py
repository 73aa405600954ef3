"""Send a clip through a graph on a running ComfyUI server: upload, queue, follow the progress, download the result.

    python workflows/api/client.py clip.mp4 results
    python workflows/api/client.py clip.mp4 results --graph workflows/api/os_diffvsr.json --server 192.168.0.7:8188
    python workflows/api/client.py clip.mp4 results --set 3.model_name=adcsr.safetensors --set 4.tile=256

It needs `pip install websocket-client` and nothing of ComfyUI or of this pack, so it runs on any machine that reaches
the server. Ctrl-C stops the run on the server too. It exits with 0, with 2 for bad usage, or with 1 for a run that
failed.
"""

import argparse
import json
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

try:
    import websocket
except ImportError:
    sys.exit("This client needs the package websocket-client; run `pip install websocket-client`.")

GRAPHS = Path(__file__).parent
LOADERS = {"LoadVideo": "file", "VHS_LoadVideo": "video"}
"""Which input of a node names the uploaded clip."""
CHUNK = 1 << 20
BUSY_SECONDS = 120  # for one answer of a server that computes meanwhile

Graph = dict[str, dict[str, Any]]


class ClientError(Exception):
    """What went wrong, in words for the user."""


def main() -> int:
    """Do what the arguments say and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="the video to send")
    parser.add_argument("results", type=Path, help="the folder for the results; nothing in it is overwritten")
    parser.add_argument("--graph", type=Path, default=GRAPHS / "adcvsr.json", help="a graph in API format")
    parser.add_argument("--server", default="127.0.0.1:8188", metavar="HOST:PORT", help="or an https:// address")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.INPUT=VALUE", help="change an input of the graph"
    )
    arguments = parser.parse_args()
    try:
        graph = read_graph(arguments.graph)
        for change in arguments.set:
            change_input(graph, change)
        loader = find_loader(graph)
        if not arguments.clip.is_file():
            raise ClientError(f"{arguments.clip} is not a file; expected a video.")
    except ClientError as error:
        parser.error(str(error))
    try:
        for path in run(Server(arguments.server), graph, loader, arguments.clip, arguments.results):
            print(path)
    except ClientError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def run(server: "Server", graph: Graph, loader: str, clip: Path, results: Path) -> list[Path]:
    """Send `clip` through `graph` and return the files that were downloaded into the folder `results`."""
    graph[loader]["inputs"][LOADERS[graph[loader]["class_type"]]] = server.upload(clip)
    with closing(server.listen()) as messages:  # before queueing, so that nothing is missed
        number = server.queue(graph)
        try:
            follow(messages, number, graph)
        except KeyboardInterrupt:
            server.post("/interrupt", {"prompt_id": number})
            raise
    files = server.saved_files(number)
    if not files:
        raise ClientError("The graph saved no file. Add a node that saves, such as Save Video.")
    results.mkdir(parents=True, exist_ok=True)
    return [server.download(file, results) for file in files]


def read_graph(path: Path) -> Graph:
    """Return the graph in `path`; raise ClientError if it is not in API format."""
    try:
        graph = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClientError(f"{path} cannot be read as JSON: {error}.") from error
    nodes = graph.values() if isinstance(graph, dict) else [None]
    if not all(isinstance(node, dict) and {"class_type", "inputs"} <= node.keys() for node in nodes):
        raise ClientError(f"{path} is no graph in API format. Export it from the editor with File > Export (API).")
    return graph


def change_input(graph: Graph, change: str) -> None:
    """Carry out NODE.INPUT=VALUE; numbers, true and false are taken as such, all else as text."""
    place, equals, text = change.partition("=")
    node, dot, name = place.partition(".")
    if not equals or not dot:
        raise ClientError(f"--set takes NODE.INPUT=VALUE, as 3.model_name=adcvsr-small; got {change}.")
    if name not in graph.get(node, {}).get("inputs", {}):
        known = ", ".join(f"{number}.{name}" for number, each in graph.items() for name in each["inputs"])
        raise ClientError(f"The graph has no input {place}; it has {known}.")
    try:
        graph[node]["inputs"][name] = json.loads(text)
    except ValueError:
        graph[node]["inputs"][name] = text


def find_loader(graph: Graph) -> str:
    """Return the number of the only node that loads a video."""
    found = [number for number, node in graph.items() if node["class_type"] in LOADERS]
    if len(found) != 1:
        raise ClientError(f"The graph has {len(found)} nodes out of {', '.join(LOADERS)}; expected one.")
    return found[0]


def follow(messages: websocket.WebSocket, number: str, graph: Graph) -> None:
    """Show the progress of run `number` until it ends; raise ClientError unless it ends well."""
    shown = ""
    while True:
        message = next_message(messages)
        kind, data = message["type"], message.get("data", {})
        if data.get("prompt_id") != number:
            continue
        if kind == "progress":
            title = graph.get(data["node"], {}).get("_meta", {}).get("title", data["node"])
            line = f"{title}: {data['value']:.0f} of {data['max']:.0f}"
            if line != shown:
                print(line, file=sys.stderr, flush=True)
            shown = line
        elif kind == "execution_success":
            return
        elif kind == "execution_error":
            raise ClientError(f"{data['node_type']} failed: {data['exception_message'].strip()}")
        elif kind == "execution_interrupted":
            raise ClientError("The run was stopped on the server.")


def next_message(messages: websocket.WebSocket) -> dict[str, Any]:
    """Return the next message that is no preview picture."""
    while True:
        try:
            received = messages.recv()
        except (websocket.WebSocketException, OSError) as error:
            raise ClientError(f"The connection to the server broke ({error}); the run may go on there.") from error
        if isinstance(received, str) and received:
            return json.loads(received)


class Server:
    """A ComfyUI server."""

    def __init__(self, address: str):
        """Take HOST:PORT or a whole http or https address."""
        self.url = (address if "://" in address else f"http://{address}").rstrip("/")
        self.client = uuid.uuid4().hex

    def listen(self) -> websocket.WebSocket:
        """Open the connection on which the server tells what happens."""
        url = f"{self.url.replace('http', 'ws', 1)}/ws?clientId={self.client}"
        try:
            return websocket.create_connection(url)
        except (websocket.WebSocketException, OSError) as error:
            raise ClientError(f"{url} cannot be opened: {error}.") from error

    def upload(self, clip: Path) -> str:
        """Upload `clip`, in chunks, and return the name it has on the server."""
        boundary = uuid.uuid4().hex
        start = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{clip.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        end = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(start) + clip.stat().st_size + len(end)),
        }
        body = chunks_of(clip, start, end)
        given = json.loads(self._ask(urllib.request.Request(f"{self.url}/upload/image", body, headers)).read())
        return str(PurePosixPath(given.get("subfolder", "")) / given["name"])

    def queue(self, graph: Graph) -> str:
        """Queue `graph` and return the number of its run."""
        return self.post("/prompt", {"prompt": graph, "client_id": self.client})["prompt_id"]

    def get(self, path: str) -> Any:
        """Return the JSON at `path`."""
        return json.loads(self._ask(urllib.request.Request(self.url + path)).read())

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """Send JSON and return the JSON that is answered, if any."""
        headers = {"Content-Type": "application/json"}
        answer = self._ask(urllib.request.Request(self.url + path, json.dumps(content).encode(), headers)).read()
        return json.loads(answer) if answer else None

    def saved_files(self, number: str) -> list[dict[str, str]]:
        """Return the files that run `number` saved, without previews."""
        deadline = time.monotonic() + BUSY_SECONDS
        while not (history := self.get(f"/history/{number}")) and time.monotonic() < deadline:
            time.sleep(0.2)  # the server writes it just after its last message
        lists = [files for node in history.get(number, {}).get("outputs", {}).values() for files in node.values()]
        files = [file for files in lists if isinstance(files, list) for file in files if isinstance(file, dict)]
        return [file for file in files if file.get("type") == "output"]

    def download(self, file: dict[str, str], folder: Path) -> Path:
        """Write `file` into `folder`, under its name on the server, and return its path."""
        path = folder / PurePosixPath(file["filename"]).name
        if path.exists():
            raise ClientError(f"{path} exists already; name another folder. The result is still on the server.")
        query = urllib.parse.urlencode({key: file.get(key, "") for key in ("filename", "subfolder", "type")})
        partial = path.with_name(f"{path.name}.part")
        with self._ask(urllib.request.Request(f"{self.url}/view?{query}")) as answer, open(partial, "wb") as written:
            shutil.copyfileobj(answer, written, CHUNK)
        partial.replace(path)
        return path

    def _ask(self, request: urllib.request.Request) -> Any:
        try:
            return urllib.request.urlopen(request, timeout=BUSY_SECONDS)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise ClientError(f"{request.full_url} answered {error.code}: {in_words(said)}") from error
        except OSError as error:
            raise ClientError(
                f"No ComfyUI answers at {self.url} ({error}). Start it, or name it by --server."
            ) from error


def in_words(said: str) -> str:
    """Return what a refused graph lacks, line by line; anything else as it came."""
    try:
        refusal = json.loads(said)
        found = [
            f"{node['class_type']}: {error['message']} ({error['details']})"
            for node in refusal["node_errors"].values()
            for error in node["errors"]
        ]
        return "\n".join([refusal["error"]["message"], *found])
    except (ValueError, KeyError, TypeError, AttributeError):
        return said


def chunks_of(clip: Path, start: bytes, end: bytes) -> Iterator[bytes]:
    """Yield `start`, what is in `clip`, and `end`."""
    yield start
    with open(clip, "rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
    yield end


if __name__ == "__main__":
    sys.exit(main())
