"""Webhooks: what other systems are told while the senders that tell them die."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from faults.audit import Allowed
from faults.matrix import Run, fault

KILLS = 15
SECONDS = 30.0


@dataclass
class Receiver:
    """Remembers what it was told, in the order of arrival: (webhook-id, type, conversation)."""

    url: str = ""
    told: list[tuple[str, str, int]] = field(default_factory=list)


@fault(
    f"kill -9 of senders at {KILLS} random points while webhooks leave",
    bound=f"each event is told at least once ≤ {SECONDS:g} s after the last kill, in the order of each chat, repeats with the same id",
)
def senders_killed_while_webhooks_leave(run: Run) -> None:
    with _receiving() as receiver:
        chats = run.people("talk", chats=8, count=10, bots=2)
        bots = sorted({chat.bot["bot_id"] for chat in chats})
        for bot_id in bots:
            run.ground.clerk("subscribe", bot_id=bot_id, url=receiver.url)
        driver = run.driver(chats, rate=12).start()
        for _number in range(KILLS):
            run.ground.sleep(run.random.uniform(0.1, 0.9))
            run.ground.kill(run.random.choice(run.ground.named("sender")))
        run.finish(driver, allowed=Allowed(copies=True, late_copies=True, doubts=True))
        wanted = "SELECT id FROM events_event WHERE kind IN ('message.received', 'message.sent') AND bot_id = ANY(%s)"
        run.until(lambda: _missing(run, receiver, wanted, bots) == set(), "every event told", seconds=SECONDS)
        run.measured |= {"events": str(len(run.ground.rows(wanted, bots))), "requests": str(len(receiver.told)), "kills": str(KILLS)}
        run.check("an event overtook another of its chat", holds=_in_order(receiver))


def _missing(run: Run, receiver: Receiver, wanted: str, bots: list[Any]) -> set[int]:
    told = {int(message_id.rpartition("_")[2]) for message_id, _kind, _conversation in list(receiver.told)}
    return {pk for (pk,) in run.ground.rows(wanted, bots)} - told


def _in_order(receiver: Receiver) -> bool:
    """What clients said: one worker at a time writes it, so its ids grow within a chat. A repeat may come once more, but nothing goes back."""
    by_chat: dict[int, list[int]] = {}
    for message_id, kind, conversation in receiver.told:
        if kind == "message.received":
            by_chat.setdefault(conversation, []).append(int(message_id.rpartition("_")[2]))
    return all(ids == sorted(ids) for ids in by_chat.values())


@contextmanager
def _receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps({"challenge": event.get("challenge")}).encode()
            if event["type"] != "webhook.challenge":
                receiver.told.append((self.headers["webhook-id"], event["type"], event["conversation"]["id"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
