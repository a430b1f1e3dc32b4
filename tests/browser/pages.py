"""A shop's website: plain pages on loopback that carry our one tag."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coffee shop</title><link rel="icon" href="data:,"></head><body><h1>Coffee shop</h1><p id="box"></p>{tag}</body></html>"""


@dataclass
class Served:
    """`tag` is what every page carries now."""

    port: int
    tag: str = ""
    asked: list[str] = field(default_factory=list)

    def embed(self, base_url: str, key: str, **options: str) -> None:
        data = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in options.items())
        self.tag = f'<script async src="{base_url}/widget/v1/widget.js" data-key="{key}"{data}></script>'


@contextmanager
def serve() -> Iterator[Served]:
    served = Served(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            body = PAGE.format(tag=served.tag).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            # A strict site: our script and frame are all that it lets in.
            self.send_header(
                "Content-Security-Policy",
                f"default-src 'none'; script-src {_origin(served.tag)}; frame-src {_origin(served.tag)}; "
                f"connect-src {_origin(served.tag)}; img-src data:",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _origin(tag: str) -> str:
    _before, found, rest = tag.partition('src="')
    return "/".join(rest.split("/")[:3]) if found else "'none'"
