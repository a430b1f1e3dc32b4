"""QuickJS through jsbox: small, starts in a fraction of a millisecond."""

import re
from typing import Any

from apps.scenarios.jail.engine import PREFIX, SUFFIX, Context, Engine, StoppedError, UnreadableError, literal, place_of
from apps.scenarios.jail.limits import Limits

FRAME = re.compile(r"eval_script:(\d+):(\d+)")
LEAD = "globalThis.__run = "
NEVER_SETTLED = "promise never settled"
OUT_OF_MEMORY = ("out of memory", "null")


class QuickJsContext(Context):
    def __init__(self, library: Any, prelude: str, limits: Limits) -> None:
        self._library = library
        self._runtime = library.Runtime(memory_limit=limits.memory_mb << 20, max_value_bytes=limits.frame_bytes)
        self._runtime.add_static_module("prelude", prelude)
        self._runtime.eval_module("prelude", limits.cpu_seconds)

    def begin(self, data: str, code: str, *, seconds: float) -> str:
        self._eval(f"__jail.begin({literal(data)})", seconds)
        # The promise of the run is kept, because only a returned promise makes the engine work off what became ready.
        return self._drain(f"{LEAD}{PREFIX}{code}{SUFFIX}", seconds, of_author=True)

    def settle(self, reply: str, *, seconds: float) -> str:
        return self._drain(f"__jail.settle({literal(reply)}); __run", seconds)

    def close(self) -> None:
        del self._runtime

    def _drain(self, code: str, seconds: float, *, of_author: bool = False) -> str:
        self._eval(code, seconds, of_author=of_author)
        return str(self._eval("__jail.take()", seconds))

    def _eval(self, code: str, seconds: float, *, of_author: bool = False) -> Any:
        try:
            return self._runtime.eval(code, max(0.001, seconds))
        except self._library.JsTimeoutError as error:
            raise StoppedError("cpu") from error
        except self._library.JavaScriptError as error:
            return self._judge(error, of_author=of_author)

    def _judge(self, error: Any, *, of_author: bool) -> None:
        message = str(error.message or "")
        if message.startswith(NEVER_SETTLED):
            return
        if message in OUT_OF_MEMORY:
            raise StoppedError("memory") from error
        line, column = place_of(FRAME, LEAD, str(error.stack or "")) if of_author else (0, 0)
        raise UnreadableError(f"{error.name or 'Error'}: {message}", line=line, column=column) from error


class QuickJs(Engine):
    kind = "jsbox"
    label = "QuickJS"
    frame = FRAME
    lead = LEAD

    def load(self, prelude: str) -> None:
        import jsbox  # noqa: PLC0415  only the child needs the library

        self._library, self._prelude = jsbox, prelude
        self.open(Limits()).close()

    def open(self, limits: Limits) -> Context:
        return QuickJsContext(self._library, self._prelude, limits)
