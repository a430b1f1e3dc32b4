"""The sender process; stops on SIGTERM or Ctrl-C after what is in flight has been noted."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from apps.conversations.sending import Sender
from apps.core import collecting
from apps.events.webhooks.pushing import Pusher


class Command(BaseCommand):
    help = "Deliver messages and webhooks, make outside calls, fetch files and poll messengers. Start more of them for more in flight."

    requires_system_checks = []  # `manage.py check` makes them; here they would load every page

    def handle(self, *_args: Any, **_options: Any) -> None:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        sender, pusher = Sender(), Pusher()

        def stop() -> None:
            sender.stop()
            pusher.stop()

        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop)
        collecting.settle()
        self.stdout.write("sender: ready")
        await asyncio.gather(sender.run(), pusher.run())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster loop where there is one for this platform (it comes with uvicorn)."""
    try:
        import uvloop  # noqa: PLC0415  not everywhere
    except ImportError:
        return None
    return uvloop.new_event_loop
