"""One run as the parent sees it: the job, the script's questions, the answers, the end. Whatever the child says is judged here."""

import asyncio
import contextlib
import json
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import structlog
from django.utils.translation import gettext as _

from apps.core.strictjson import StrictJsonError, loads
from apps.scenarios.jail.engine import Engine, place_of
from apps.scenarios.jail.errors import LIMITS, ScriptError, at_limit, crashed, thrown
from apps.scenarios.jail.limits import KILL_AFTER
from apps.scenarios.jail.outcome import Asked, Host, HostError, Json, Outcome, Script
from apps.scenarios.jail.process import Child, ChildDiedError, TooMuchError

logger = structlog.get_logger(__name__)

TIRING = ("cpu", "wall", "memory", "crash")  # a child that met one of these is not used again
MARGIN = 64 * 1024  # of a frame, for what stands around the values
OUT_OF_MEMORY = re.compile(r"out of memory|allocation failed|array buffer", re.IGNORECASE)


class Conversation:
    """`outcome` is there once `hold` has returned."""

    def __init__(self, script: Script, host: Host, engine: Engine) -> None:
        self.script, self.host, self.engine = script, host, engine
        self.outcome = Outcome()
        self._asked: dict[int, Asked] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts = {"callApi": 0, "table": 0}
        self._state: Json = {}
        self._error: ScriptError | None = None
        self._used: Json = {}

    async def hold(self, child: Child) -> bool:
        """Until the script has ended, one way or another; whether the child is fit for another run."""
        started = time.monotonic()
        whole = False
        try:
            async with asyncio.timeout(self.script.limits.wall_seconds + KILL_AFTER):
                await self._talk(child)
                whole = True
                if self._tasks:  # calls that the script started and did not wait for
                    await asyncio.gather(*self._tasks)
        except TimeoutError:
            self._error = self._error or at_limit("wall", self.script.limits)
        except _StoppedError as stopped:
            self._error = stopped.error
        finally:
            await self._hush()
        self.outcome = self._made(round((time.monotonic() - started) * 1000))
        return whole and (self.outcome.error is None or self.outcome.error.kind not in TIRING)

    # --- the exchange -------------------------------------------------------------------------------------------------

    async def _talk(self, child: Child) -> None:
        limits = self.script.limits
        data = {"ctx": dict(self.script.ctx), "memory": dict(self.script.memory), "limits": limits.dump()}
        child.write(json.dumps({"code": self.script.code, "data": json.dumps(data), "limits": limits.dump()}).encode())
        while True:
            letter, body = await self._heard(child)
            match letter:
                case "S":
                    self._state = _object(body, limits.frame_bytes)
                    posts = self._state.get("posts")
                    for post in posts if isinstance(posts, list) else ():
                        self._ask(child, post)
                case "E":
                    self._error = self._stopped(_object(body, limits.frame_bytes))
                case "U":
                    self._used = _object(body, limits.frame_bytes)
                    return
                case _:
                    raise _StoppedError(crashed())

    async def _heard(self, child: Child) -> tuple[str, bytes]:
        """The next frame. While nothing is out with the host, silence means computing, which has its own limit: the child's alarm is the first
        to enforce it, this is the second.
        """
        limits = self.script.limits
        try:
            async with asyncio.timeout(self._patience()):
                return await child.read(limits.frame_bytes + MARGIN)
        except TooMuchError as error:
            raise _StoppedError(at_limit("output", limits)) from error
        except TimeoutError as error:
            raise _StoppedError(self._error or at_limit("cpu", limits)) from error
        except ChildDiedError as error:
            raise _StoppedError(self._died(error.signal)) from error

    def _patience(self) -> float | None:
        """Seconds. A child that has told its error has only to clear up; an engine may hang in that too."""
        if self._error is not None:
            return KILL_AFTER
        return None if self._tasks else self.script.limits.cpu_seconds + KILL_AFTER

    def _died(self, signal_number: int) -> ScriptError:
        if signal_number in (signal.SIGPROF, signal.SIGXCPU):
            return at_limit("cpu", self.script.limits)
        limit = self.engine.crashed(signal_number)
        return at_limit(limit, self.script.limits) if limit else crashed()

    def _ask(self, child: Child, post: Any) -> None:
        """Set one question of the script going; its answer is written as soon as it is there."""
        number, what, body = post if isinstance(post, list) and len(post) == 3 else (0, "", "{}")  # noqa: PLR2004
        if what not in self._counts or not isinstance(number, int) or not isinstance(body, str):
            raise _StoppedError(crashed())
        self._counts[what] += 1
        most = self.script.limits.calls if what == "callApi" else self.script.limits.operations
        if self._counts[what] > most or len(body) > self.script.limits.output_bytes:
            raise _StoppedError(at_limit("calls" if self._counts[what] > most else "output", self.script.limits))
        task = asyncio.create_task(self._answer(child, number, what, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, child: Child, number: int, what: str, body: str) -> None:
        started, place = time.monotonic(), self._counts[what]
        request: Json = {}
        reply: Json = {"id": number}
        try:
            request = _request(body, self.script.limits.output_bytes * 4)
            reply["value"] = await (self.host.call_api if what == "callApi" else self.host.table)(request, number=place)
        except HostError as error:
            reply["error"] = str(error)
        except StrictJsonError as error:
            reply["error"] = error.reason
        except Exception:
            logger.exception("a function of the jail's host failed", what=what)
            reply["error"] = _("This cannot be done now; the reason is in the server's log.")
        ms = round((time.monotonic() - started) * 1000)
        self._asked[number] = Asked(what, request, _shown(what, reply.get("value")), error=reply.get("error", ""), ms=ms)
        child.write(json.dumps(reply).encode())

    async def _hush(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _stopped(self, told: Json) -> ScriptError:
        if told.get("limit") in LIMITS:
            return at_limit(told["limit"], self.script.limits)
        line, column = int(told.get("line") or 0), int(told.get("column") or 0)
        return thrown("", str(told.get("message", ""))[:2000], line=line, column=column, kind="unreadable")

    def _made(self, ms: int) -> Outcome:
        done = self._state.get("done")
        done = done if isinstance(done, dict) else {}
        error = self._error or self._thrown(done.get("error"))
        common: dict[str, Any] = {
            "logs": tuple(_lines(self._state.get("logs"))),
            "asked": tuple(self._asked[number] for number in sorted(self._asked)),
            "ms": ms,
            "cpu_ms": self._used.get("cpu_ms", 0),
            "memory_kb": self._used.get("memory_kb", 0),
        }
        if error is None:
            try:
                value = _read(str(done.get("value", "null")).encode(errors="surrogatepass"), 4 * self.script.limits.output_bytes)
            except StrictJsonError as wrong:
                error = thrown("", wrong.reason, line=0, column=0)
            else:
                exit_ = str(self._state.get("exit") or "")
                return Outcome(value=value, exit=exit_[:60], writes=tuple(_writes(self._state.get("writes"))), **common)
        return Outcome(error=error, **common)

    def _thrown(self, told: Any) -> ScriptError | None:
        if not isinstance(told, dict):
            return None
        name, message, stack, limit = (str(told.get(key) or "") for key in ("name", "message", "stack", "limit"))
        line, column = place_of(self.engine.frame, self.engine.lead, stack)
        if limit not in LIMITS and self._ran_out(name, message):
            limit = "memory"
        if limit in LIMITS:
            return at_limit(limit, self.script.limits, line=line, column=column)
        return thrown(name, message, line=line, column=column)

    def _ran_out(self, name: str, message: str) -> bool:
        """Whether this is how an engine says that there is no more memory; QuickJS throws null when not even an error fits."""
        if message == "null" and not name:
            return bool(self._used.get("memory_kb", 0) > self.script.limits.memory_mb * 512)
        return name in ("InternalError", "RangeError") and bool(OUT_OF_MEMORY.search(message))


def _request(body: str, most: int) -> Json:
    found = _read(body.encode(errors="surrogatepass"), most)
    if not isinstance(found, dict):
        raise HostError(_("An object is expected."))
    return found


def _lines(rows: Any) -> list[str]:
    return [str(line) for line in rows] if isinstance(rows, list) else []


def _writes(rows: Any) -> Iterator[Json]:
    """Those that are what the prelude makes; a script that tampers with its own list loses what it spoiled."""
    for row in rows if isinstance(rows, list) else ():
        data = row.get("data") if isinstance(row, dict) else None
        if not isinstance(data, dict):
            continue
        if (row.get("kind"), sorted(data)) in (("memory", ["key", "value"]), ("emit", ["data", "name"])) and isinstance(
            data.get("key", data.get("name")), str
        ):
            yield {"kind": row["kind"], "data": data}


class _StoppedError(Exception):
    """The run is over and the child is not to be trusted with another."""

    def __init__(self, error: ScriptError) -> None:
        super().__init__(error.text)
        self.error = error


def _read(body: bytes, most: int) -> Any:
    return loads(body, max_bytes=most)


def _object(body: bytes, most: int) -> Json:
    """What the child says of its run. A script that rewrote the language spoils this for itself."""
    try:
        found = _read(body, most)
    except StrictJsonError as error:
        raise _StoppedError(thrown("", error.reason, line=0, column=0)) from error
    if not isinstance(found, dict):
        raise _StoppedError(crashed())
    return found


def _shown(what: str, value: Any) -> Any:
    """What is told of an answer: the status of a call, the number of rows."""
    if what == "callApi":
        return value.get("status") if isinstance(value, dict) else None
    return len(value) if isinstance(value, list) else value is not None
