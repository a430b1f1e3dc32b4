"""Why a script did not end well, in words: an error with its line, or the limit that it met."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.scenarios.jail.limits import Limits

LIMITS = ("cpu", "wall", "memory", "output", "calls")


@dataclass(frozen=True)
class ScriptError:
    """`kind`: error (thrown), unreadable (no JavaScript), crash, or one of `LIMITS`. `line` and `column` count from 1; 0 = not known.

    `message` is the script's own text; `text` is what people read.
    """

    kind: str
    text: str
    message: str = ""
    line: int = 0
    column: int = 0

    def dump(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text, "message": self.message, "line": self.line, "column": self.column}

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "ScriptError":
        return cls(**stored)


def thrown(name: str, message: str, *, line: int, column: int, kind: str = "error") -> ScriptError:
    """An error of the script itself: “Script error at line 23, column 5: TypeError: …”."""
    told = f"{name}: {message}" if name and name != "Error" else message or _("an error without a message")
    if not line:
        text = _("Script error: %(what)s") % {"what": told}
    elif not column:
        text = _("Script error at line %(line)s: %(what)s") % {"line": line, "what": told}
    else:
        text = _("Script error at line %(line)s, column %(column)s: %(what)s") % {"line": line, "column": column, "what": told}
    return ScriptError(kind=kind, text=text, message=told, line=line, column=column)


def at_limit(name: str, limits: Limits, *, line: int = 0, column: int = 0, message: str = "") -> ScriptError:
    """The limit by its name and figure, and what to do about it."""
    told = {
        "cpu": _("The script was stopped: it computed for more than %(n)s s. Look for an endless loop or do less at once.")
        % {"n": f"{limits.cpu_seconds:g}"},
        "wall": _("The script was stopped: it took longer than %(n)s s. Other systems may have answered slowly; call fewer of them.")
        % {"n": f"{limits.wall_seconds:g}"},
        "memory": _("The script was stopped: it needed more than %(n)s MB of memory. Work on smaller pieces.") % {"n": limits.memory_mb},
        "output": _("The script was stopped: what it gives back, calls with or logs may have at most %(n)s kB.")
        % {"n": limits.output_bytes // 1024},
        "calls": _("The script was stopped: it may call other systems %(n)s times and use tables, memory and events %(m)s times.")
        % {"n": limits.calls, "m": limits.operations},
    }[name]
    if line:
        told = _("Script error at line %(line)s: %(what)s") % {"line": line, "what": told}
    return ScriptError(kind=name, text=told, message=message or told, line=line, column=column)


def crashed() -> ScriptError:
    text = _("The script's process ended unexpectedly. Nothing of it was stored; if it happens again, simplify the script.")
    return ScriptError(kind="crash", text=text, message=text)
