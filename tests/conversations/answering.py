"""Responders for tests of the way itself, without scenarios."""

import os
import time

from django.db import connection

from apps.bots.content import Content
from apps.conversations.responder import Responder, Turn


class Echo(Responder):
    """Says what it hears; `boom` fails, `query` in the database; `slow` takes a moment; `die` kills the process."""

    def respond(self, turn: Turn) -> bool:
        heard = turn.inbound.text if turn.inbound else str(turn.update.payload)
        if "boom" in heard:
            raise RuntimeError("the scenario cannot handle this")
        if heard == "query":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        if heard == "die":
            os.kill(os.getpid(), 9)
        if heard == "slow":
            time.sleep(0.3)
        turn.say(Content(text=f"echo: {heard}"))
        turn.update.outcome["status"] = "waiting"
        return True
