"""One child process of the jail, as the parent holds it."""

import asyncio
import contextlib
import os
import signal
import subprocess

from apps.scenarios.jail.wire import HEADER

REAP_SECONDS = 0.002  # a killed process is gone at once


class ChildDiedError(Exception):
    """The child is gone; `signal` killed it (0: it ended by itself)."""

    def __init__(self, signal_number: int = 0) -> None:
        super().__init__(f"signal {signal_number}")
        self.signal = signal_number


class TooMuchError(Exception):
    """The child says more than it may."""


class Child:
    """One process. Belongs to one run at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process, self.reader, self.writer = process, reader, writer
        self.runs = 0
        self.protections: tuple[str, ...] = ()

    async def read(self, most: int) -> tuple[str, bytes]:
        """The letter and the text of the next frame. Raises `ChildDiedError`, `TooMuchError`."""
        try:
            size = HEADER.unpack(await self.reader.readexactly(HEADER.size))[0]
            if size > most:
                raise TooMuchError
            body = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ChildDiedError(await self.end()) from error
        return body[:1].decode("ascii", "replace"), body[1:]

    def write(self, body: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(HEADER.pack(len(body)) + body)

    async def end(self) -> int:
        """Kill the whole group and wait for it; the signal that ended the process."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.writer.close()
        while self.process.poll() is None:  # noqa: ASYNC110  a process has no event of asyncio's, and threads may be over at exit
            await asyncio.sleep(REAP_SECONDS)
        return max(0, -(self.process.returncode or 0))
