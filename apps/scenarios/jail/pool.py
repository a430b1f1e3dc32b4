"""Child processes of the jail in one process of ours: kept warm, given one script at a time, killed from outside, replaced."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

from django.conf import settings

from apps.scenarios.jail.conversation import Conversation
from apps.scenarios.jail.limits import Limits
from apps.scenarios.jail.process import Child, ChildDiedError

START_SECONDS = 20.0
MAX_RUNS = 1000  # then a child is replaced, whatever it may have gathered
SPARES = 1
_START = "import sys; sys.path[:0] = {path!r}; from apps.scenarios.jail.child import main; main({module!r}, {folder!r}, {memory!r})"


class Pool:
    """Lives on one event loop. `module` holds the engine; `size` scripts run at once, others wait their turn."""

    def __init__(self, module: str, *, size: int, memory_mb: int) -> None:
        self._module, self._memory_mb = module, memory_mb
        self._free: deque[Child] = deque()
        self._room = asyncio.Semaphore(size)
        self._folder = tempfile.mkdtemp(prefix="jail-")
        self._starting: set[asyncio.Task[None]] = set()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    @contextlib.asynccontextmanager
    async def child(self, *, fresh: bool = False) -> AsyncIterator[Child]:
        """A child for one run; `fresh`: one that has run nothing yet. It goes back only when the run left it whole."""
        async with self._room:
            child = self._take(fresh=fresh) or await self._start()
            whole = False
            try:
                yield child
                whole = child.process.returncode is None
            finally:
                child.runs += 1
                if whole and child.runs < MAX_RUNS and not self._closed:
                    self._free.append(child)
                else:
                    await child.end()
                    self._replace()

    async def run(self, conversation: Conversation, *, fresh: bool = False) -> None:
        """Hold `conversation` with a child; it notes what came of it and says whether the child may live on."""
        async with self.child(fresh=fresh) as child:
            if not await conversation.hold(child):
                await child.end()

    async def close(self) -> None:
        """For good, on the loop that the pool lives on, whichever loop asks."""
        if self._loop is asyncio.get_running_loop():
            await self._close()
        elif self._loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._close(), self._loop))

    async def _close(self) -> None:
        self._closed = True
        for task in self._starting:
            task.cancel()
        while self._free:
            await self._free.popleft().end()
        self._remove_folder()

    def _remove_folder(self) -> None:
        with contextlib.suppress(OSError):
            Path(self._folder).rmdir()

    def _take(self, *, fresh: bool) -> Child | None:
        for child in list(self._free):
            if fresh and child.runs:
                continue
            self._free.remove(child)
            if child.process.poll() is None:
                return child
            child.writer.close()
        return None

    def _replace(self) -> None:
        """The next script finds a child that is ready."""
        if self._closed or len(self._free) + len(self._starting) >= SPARES:
            return
        task = asyncio.create_task(self._add())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _add(self) -> None:
        with contextlib.suppress(ChildDiedError, TimeoutError, OSError):
            self._free.append(await self._start())

    async def _start(self) -> Child:
        """Raises `ChildDiedError`, `TimeoutError` when the engine cannot be started."""
        ours, theirs = socket.socketpair()
        path = [str(settings.BASE_DIR), *(entry for entry in sys.path if entry)]
        code = _START.format(path=path, module=self._module, folder=self._folder, memory=self._memory_mb)
        with theirs:
            process = subprocess.Popen(  # noqa: ASYNC220, S603  a few milliseconds; asyncio's own would watch it in a thread
                [sys.executable, "-I", "-S", "-c", code], stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={}, cwd=self._folder, start_new_session=True,
            )  # fmt: skip
        reader, writer = await asyncio.open_connection(sock=ours)
        child = Child(process, reader, writer)
        try:
            async with asyncio.timeout(START_SECONDS):
                _letter, hello = await child.read(Limits().frame_bytes)
        except BaseException:
            await child.end()
            raise
        child.protections = tuple(json.loads(hello)["protections"])
        return child
