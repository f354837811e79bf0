"""A web server on 127.0.0.1 that answers as told: whole, in ranges, cut short, or with an error."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer. ``cut``: close the connection after so many bytes of the body that was announced.

    ``ranges``: honour a Range header. ``shift``: answer a range from so many bytes further on.
    """

    body: bytes = b""
    status: int = 200
    ranges: bool = True
    cut: int | None = None
    shift: int = 0
    announce: bool = True


class FaultServer:
    """Serves ``replies[path]`` in order, the last one again and again; keeps every request's path and Range."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, str | None]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"

    def __enter__(self) -> FaultServer:
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def serve(self, path: str, *replies: Reply) -> str:
        """Answer ``path`` with ``replies``; return its URL."""
        self.replies[f"/{path}"] = list(replies)
        return self.url + path

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.requests.append((handler.path[1:], asked))
        queue = self.replies.get(handler.path, [Reply(status=404)])
        reply = queue.pop(0) if len(queue) > 1 else queue[0]
        body, status, headers = reply.body, reply.status, {}
        match = re.fullmatch(r"bytes=(\d+)-", asked or "")
        if match and reply.ranges and status == 200:
            start = int(match[1]) + reply.shift
            if start >= len(body):
                status, body = 416, b""
            else:
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[start:]
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if reply.announce:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: reply.cut])
