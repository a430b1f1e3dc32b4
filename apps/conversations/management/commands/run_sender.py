"""The sender process; stops on SIGTERM or Ctrl-C after what is in flight has been noted."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from apps.conversations.sending import Sender


class Command(BaseCommand):
    help = "Deliver messages, make outside calls, fetch files and poll messengers. Start more of them for more in flight."

    def handle(self, *_args: Any, **_options: Any) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        sender = Sender()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, sender.stop)
        self.stdout.write("sender: ready")
        await sender.run()
