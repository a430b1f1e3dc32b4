"""A small CRM on this machine with the calls that the fixtures make."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, dict[str, Any]]


@dataclass
class Crm:
    """`users` by id and `orders` by id; `asked` holds each call as (method and path, body); `down` answers 503 to everything."""

    url: str = ""
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    down: bool = False

    def calls(self, to: str) -> list[Any]:
        """The bodies of the calls to this method and path."""
        return [body for asked, body in self.asked if asked == to]

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Answer:
        if self.down:
            return 503, {}
        if (method, path) == ("GET", "/user"):
            found = next((user for user in self.users.values() if any(user.get(key) == value for key, value in given.items())), None)
            return (200, found) if found else (404, {"message": "not found"})
        if (method, path) == ("POST", "/user"):
            user = {**given, "userId": 200 + len(self.users)}
            self.users[user["userId"]] = user
            return 201, user
        if path == "/api/user/confirm":
            return 200, {"name": self.users[int(given["userId"])].get("name", "")}
        if path.startswith("/orders/"):
            order = self.orders.get(path.removeprefix("/orders/"))
            return (200, order) if order else (404, {})
        if path == "/api/order/update" and str(given["order_id"]) not in self.orders:
            return 409, {"message": "closed"}
        return 200, {"success": True}


@contextmanager
def running_crm() -> Iterator[Crm]:
    crm = Crm()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            given = json.loads(body) if body else dict(parse_qsl(parts.query))
            crm.asked.append((f"{self.command} {parts.path}", given))
            crm.tokens.add(self.headers.get("Authorization", ""))
            status, data = crm.answer(self.command, parts.path, given)
            answer = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = handle_any

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    crm.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield crm
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
