"""One event loop in a thread of its own for synchronous code that must do asynchronous work (outgoing calls)."""

import asyncio
import atexit
import concurrent.futures
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
AsyncClose = Callable[[], Coroutine[Any, Any, None]]

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_closers: list[tuple[int, AsyncClose]] = []
CLOSE_SECONDS = 2.0


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, started on first use; a forked child gets its own."""
    process = os.getpid()
    with _lock:
        if process not in _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=_serve, args=(loop,), name="outgoing-loop", daemon=True).start()
            _loops[process] = loop
        return _loops[process]


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Starts `work` on the background loop in the caller's context (trace id); cancelling the future cancels the work."""
    loop = background_loop()
    context = contextvars.copy_context()
    result: concurrent.futures.Future[T] = concurrent.futures.Future()

    def start() -> None:
        task = loop.create_task(work, context=context)
        task.add_done_callback(lambda done: _finish(done, result))
        result.add_done_callback(lambda done: _cancel(loop, task, done))

    loop.call_soon_threadsafe(start)
    return result


def _finish(task: asyncio.Task[T], result: concurrent.futures.Future[T]) -> None:
    if task.cancelled():
        result.cancel()
    elif not result.set_running_or_notify_cancel():
        task.exception()
    elif error := task.exception():
        result.set_exception(error)
    else:
        result.set_result(task.result())


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T], result: concurrent.futures.Future[T]) -> None:
    if result.cancelled():
        loop.call_soon_threadsafe(task.cancel)


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, run on the background loop; blocks the calling thread. Not callable from that loop itself."""
    if threading.current_thread().name == "outgoing-loop":
        work.close()
        raise RuntimeError("run() would wait for itself: await the coroutine instead.")
    return submit(work).result()


def close_at_exit(closer: AsyncClose) -> None:
    """Run `closer` on the loop before the process ends."""
    _closers.append((os.getpid(), closer))


async def close_connections() -> None:
    """Run every closer on the running loop; for a process that has a loop of its own and is about to end it."""
    for closer in _own_closers():
        await closer()


def _own_closers() -> list[AsyncClose]:
    """Without those of the process that we were forked from."""
    return [closer for process, closer in _closers if process == os.getpid()]


@atexit.register
def _close() -> None:
    loop = _loops.pop(os.getpid(), None)
    if loop is None:
        return
    for closer in _own_closers():
        try:
            asyncio.run_coroutine_threadsafe(closer(), loop).result(CLOSE_SECONDS)
        except (TimeoutError, RuntimeError):
            break
    loop.call_soon_threadsafe(loop.stop)
