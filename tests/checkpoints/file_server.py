"""A web server of the standard library that can be slow of mind: no ranges, broken connections, other versions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server gives, how it behaves, and what it was asked for."""

    files: dict[str, bytes]
    ranges: bool = True
    version: str | None = '"1"'
    breaks: list[int] = field(default_factory=list)
    """After how many bytes each of the next connections ends."""
    claims: int | None = None
    """A length to claim instead of the true one."""
    status: int | None = None
    """Answer everything with this error."""
    asked: list[str | None] = field(default_factory=list)
    """The Range of every request."""
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve `site` at site.url while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self):
        asked = self.headers.get("Range")
        self.site.asked.append(asked)
        content = self.site.files.get(self.path)
        if self.site.status or content is None:
            self.send_error(self.site.status or 404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.site.ranges else 0
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(self.site.claims or len(content) - start))
        if self.site.version:
            self.send_header("ETag", self.site.version)
        self.end_headers()
        end = self.site.breaks.pop(0) if self.site.breaks else len(content)
        self.wfile.write(content[start : start + end])

    def log_message(self, *_) -> None:
        """Keep quiet."""
