"""Queue a graph and follow its run over the websocket, as the editor does."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import websocket

from .server import ComfyUIServer

ENDINGS = ("execution_success", "execution_error", "execution_interrupted")
SILENCE_SECONDS = 300


@dataclass
class Run:
    """One queued graph: what the server said about it, until and including how it ended."""

    server: ComfyUIServer
    prompt_id: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)

    @property
    def ending(self) -> str:
        return self.messages[-1]["type"]

    @property
    def history(self) -> dict[str, Any]:
        """What the server keeps of the run; it is written just after the last message was sent."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if kept := self.server.get(f"/history/{self.prompt_id}"):
                return kept[self.prompt_id]
            time.sleep(0.1)
        raise AssertionError(f"No history of {self.prompt_id}; the server's log:\n{self.server.log[-2000:]}")

    def follow(self, graph: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Queue `graph` and yield the messages about it as they come."""
        url = f"ws://{self.server.address}/ws?clientId={self.server.client_id}"
        with closing(websocket.create_connection(url, timeout=SILENCE_SECONDS)) as socket:
            socket.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
            queued = self.server.post("/prompt", {"prompt": graph, "client_id": self.server.client_id})
            assert not queued["node_errors"], queued["node_errors"]  # the server would run the rest of the graph
            self.prompt_id = queued["prompt_id"]
            while not self.messages or self.ending not in ENDINGS:
                yield from self._take(socket.recv())

    def _take(self, received: str | bytes) -> Iterator[dict[str, Any]]:
        if isinstance(received, bytes):
            self.previews.append(received)
            return
        message = json.loads(received)
        if message.get("data", {}).get("prompt_id") == self.prompt_id:
            self.messages.append(message)
            yield message


def run_graph(server: ComfyUIServer, graph: dict[str, Any]) -> Run:
    """Queue `graph` and return its run once it has ended."""
    run = Run(server)
    for _ in run.follow(graph):
        pass
    return run


def interrupt_at(server: ComfyUIServer, graph: dict[str, Any], node_id: str) -> Run:
    """Queue `graph`, press Cancel when node `node_id` reports progress, and return the ended run."""
    run = Run(server)
    for message in run.follow(graph):
        if message["type"] == "progress" and message["data"]["node"] == node_id:
            server.post("/interrupt", {})
    return run
