"""Run a script of a user in the jail: the one way in, for live dialogues, tests in the admin and the shell."""

import asyncio
import os
from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core import loop
from apps.core.registry import Registry
from apps.scenarios.jail.concealing import outcome_without
from apps.scenarios.jail.conversation import Conversation
from apps.scenarios.jail.engine import Engine
from apps.scenarios.jail.errors import ScriptError
from apps.scenarios.jail.limits import Limits
from apps.scenarios.jail.outcome import Host, Outcome, Script
from apps.scenarios.jail.pool import Pool
from apps.scenarios.jail.process import ChildDiedError

engines: Registry[Engine] = Registry("apps.scenarios.jail.engines", Engine)


def limits() -> Limits:
    """Those of this installation."""
    return Limits(cpu_seconds=settings.JAIL_CPU_SECONDS, wall_seconds=settings.JAIL_WALL_SECONDS, memory_mb=settings.JAIL_MEMORY_MB)


async def run(script: Script, host: Host, *, engine: str = "", fresh: bool = False) -> Outcome:
    """What came of the script; errors and limits are in the outcome, never raised. `fresh`: in a process that ran nothing before.

    The exchange runs on the process's background loop, and so do the host's functions.
    """
    work = _run(script, host, engine or settings.JAIL_ENGINE, fresh=fresh)
    if asyncio.get_running_loop() is loop.background_loop():
        return await work
    return await asyncio.wrap_future(loop.submit(work))


def run_sync(script: Script, host: Host, *, engine: str = "", fresh: bool = False) -> Outcome:
    """The same for code without an event loop."""
    return loop.run(_run(script, host, engine or settings.JAIL_ENGINE, fresh=fresh))


async def _run(script: Script, host: Host, kind: str, *, fresh: bool) -> Outcome:
    engine = engines[kind]
    conversation = Conversation(script, host, engine)
    try:
        await _pool(engine, script.limits).run(conversation, fresh=fresh)
    except (ChildDiedError, TimeoutError, OSError):
        text = _("The script engine “%(name)s” does not start on this server. Tell whoever runs the installation.") % {"name": engine.label}
        return Outcome(error=ScriptError(kind="crash", text=text, message=text))
    return outcome_without(conversation.outcome, script.secrets)


_pools: dict[tuple[int, str, int], Pool] = {}


def _pool(engine: Engine, given: Limits) -> Pool:
    """One for each engine and size of memory in each process; called on the background loop only."""
    key = (os.getpid(), engine.kind, given.memory_mb)
    if key not in _pools:
        _close_at_exit(key[0])
        _pools[key] = Pool(type(engine).__module__, size=settings.JAIL_PROCESSES, memory_mb=given.memory_mb)
    return _pools[key]


@lru_cache(maxsize=2)
def _close_at_exit(_process: int) -> None:
    loop.close_at_exit(_close)


async def _close() -> None:
    """Those of this process; whoever runs a script later gets a new one."""
    for key in [key for key in _pools if key[0] == os.getpid()]:
        await _pools.pop(key).close()
