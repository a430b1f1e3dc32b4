"""Attacks, on both engines: canaries untouched, the end within the limit and half a second, the next run fine.

The table of `docs/action-jail.md` is this file's: each row names a class of attacks here.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from apps.core import loop
from apps.scenarios.jail.conversation import Conversation
from apps.scenarios.jail.limits import Limits
from apps.scenarios.jail.outcome import Outcome, Script
from apps.scenarios.jail.pool import Pool
from apps.scenarios.jail.pretending import MockHost
from tests.scenarios.jail import probe
from tests.scenarios.jail.running import ENGINES, run, value

LIMITS = Limits(cpu_seconds=0.3, wall_seconds=1, memory_mb=32)
PATIENT = Limits(cpu_seconds=3, wall_seconds=10, memory_mb=32)  # for a child that has to start first, on a machine that others use
GRACE = 0.5
HOST_WORDS = ("Traceback", "/work", ".py", "site-packages", "apps.scenarios", "Popen")

ESCAPES = {
    "constructor chain": "return this.constructor.constructor('return process')().env",
    "constructor of a host function": "return callApi.constructor('return globalThis.process || globalThis.require')().mainModule",
    "constructor of an error of the host": "try { await callApi('x') } catch (e) { return e.constructor.constructor('return process')().pid }",
    "constructor of a promise of the host": "return callApi('x').catch(() => 0).constructor.constructor('return process')().pid",
    "import": "return (await import('fs')).readFileSync('/etc/passwd', 'utf8')",
    "require": "return require('child_process').execSync('id').toString()",
    "process": "process.kill(process.ppid, 9)",
    "std and os of QuickJS": "return [std.getenv('JAIL_CANARY'), os.readdir('/')]",
    "fetch and sockets": "await fetch('http://127.0.0.1:' + ctx.port); new WebSocket('ws://127.0.0.1')",
    "module of WebAssembly and workers": "new Worker('data:text/javascript,1')",
    "prepareStackTrace": "Error.prepareStackTrace = (e, frames) => frames.map(f => f.getThis && f.getThis()); const s = new Error().stack; return s[0].process.env",
    "async stack hook": "const e = new Error(); e.name = Symbol(); await (async () => e.stack)().constructor.constructor('return process')()",
    "arguments.callee.caller": "return (function () { return arguments.callee.caller.caller.constructor('return process')() })()",
    "proxy as argument": "await callApi(new Proxy({}, { get: (t, k) => { if (k === 'toJSON') throw process; return k } }))",
    "the jail's own object": "__jail.take = () => '{}'; __jail.begin('{}'); return process",
}

ENDLESS = {
    "endless loop": "for (;;) {}",
    "endless loop that catches": "for (;;) { try { for (;;) {} } catch (e) {} }",
    "endless finally": "function f() { try { return f() } finally { for (;;) {} } } f()",
    "catastrophic regular expression": "/(a+)+$/.test('a'.repeat(50) + 'b')",
    "endless promises": "for (;;) await null",
    "endless microtasks": "const f = () => Promise.resolve().then(f); await f()",
    "endless generator": "function* g() { for (;;) yield 1 } for (const x of g()) {}",
    "replaceAll on megabytes": "let s = 'a'.repeat(1e6); for (;;) s.replaceAll('a', 'b')",
    "sort with a wild comparison": "const a = Array.from({ length: 1e6 }, (_, i) => i); for (;;) a.sort(() => Math.random() - 0.5)",
    "growing numbers": "let x = 3n; for (;;) { x = x * x; if (x > 2n ** 900000n) x = 3n }",
    "normalize": "const s = '\\u1E9B\\u0323'.repeat(3e5); for (;;) s.normalize('NFKD')",
    "getter that never ends": "return { get a() { for (;;) {} } }",
    "toJSON that never ends": "return { toJSON() { for (;;) {} } }",
    "error that never ends": "throw { get message() { for (;;) {} } }",
    "log of what never ends": "log({ toJSON() { for (;;) {} } })",
    "then that never ends": "return { then() { for (;;) {} } }",
}

BOMBS = {
    "strings": "const a = []; for (;;) a.push('x'.repeat(1e5) + a.length)",
    "typed arrays": "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))",
    "one huge buffer": "return new Uint8Array(3e9).fill(7).length",
    "objects": "let a = {}; for (;;) a = { a, b: [1, 2, 3] }",
    "array of any length": "const a = []; a.length = 4294967295; return a.fill(0).length",
    "doubling string": "let s = 'x'; for (;;) s += s",
    "deep recursion": "const f = n => f(n + 1) + 1; f(0)",
    "deep nesting": "let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return a",
    "ten million keys": "const o = {}; for (let i = 0; i < 1e7; i++) o['k' + i] = i; return o",
    "cycle": "const a = {}; a.a = a; return a",
    "large result": "return 'x'.repeat(3e6)",
    "large log": "for (let i = 0; i < 1e5; i++) log('x'.repeat(1e5))",
    "large argument": "await callApi({ url: 'x', body: 'y'.repeat(3e6) })",
    "large event": "emit('x', 'y'.repeat(3e6))",
    "many events": "for (let i = 0; i < 1e6; i++) emit('x', i)",
}

FLOODS = {
    "calls not awaited": "for (let i = 0; i < 1e5; i++) callApi({ url: 'x' + i }).catch(() => {})",
    "calls with three megabytes": "for (;;) { try { await callApi({ url: 'x', body: 'y'.repeat(3e6) }) } catch (e) {} }",
    "calls in a loop that catches": "for (;;) { try { await callApi('x') } catch (e) {} }",
    "tables in a loop that catches": "for (;;) { try { await table('t').find({}) } catch (e) {} }",
    "memory in a loop that catches": "for (;;) { try { memory.set('a' + Math.random(), 1) } catch (e) {} }",
}

ATTACKS = [
    *((f"escape: {name}", code) for name, code in ESCAPES.items()),
    *((f"endless: {name}", code) for name, code in ENDLESS.items()),
    *((f"bomb: {name}", code) for name, code in BOMBS.items()),
    *((f"flood: {name}", code) for name, code in FLOODS.items()),
]


class Canaries:
    """A secret in the environment, a file, a listening socket, and this process: none may notice anything."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JAIL_CANARY", "yellow-bird")
        self.file = folder / "canary"
        self.file.write_text("yellow-bird")
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0)

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def check(self, outcome: Outcome) -> None:
        assert self.file.read_text() == "yellow-bird"
        assert "yellow-bird" not in str(outcome.dump())
        with pytest.raises(BlockingIOError):
            self.server.accept()
        told = str(outcome.error.message if outcome.error else "") + "".join(outcome.logs)
        assert [word for word in HOST_WORDS if word in told] == []


@pytest.fixture
def canaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Canaries(tmp_path, monkeypatch)
    yield made
    made.server.close()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "code"), ATTACKS, ids=[name for name, _code in ATTACKS])
def test_an_attack_ends_in_time_and_touches_nothing(engine: str, name: str, code: str, canaries: Canaries) -> None:
    value("return 1", engine=engine, limits=PATIENT)  # a child is there: its start is no part of the run
    started = time.monotonic()
    outcome = run(code, engine=engine, limits=LIMITS, ctx={"port": canaries.port})
    took = time.monotonic() - started

    canaries.check(outcome)
    limit = LIMITS.wall_seconds if "flood" in name else LIMITS.cpu_seconds
    assert took <= limit + GRACE, took
    if name.startswith(("escape", "endless")):
        assert outcome.error is not None, outcome.value
    assert value("return 6 * 7", engine=engine, limits=PATIENT) == 42


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_leaves_nothing_for_the_next(engine: str) -> None:
    run(
        "Object.prototype.evil = 1; Array.prototype.map = () => 'evil'; globalThis.left = 1; JSON.stringify = () => '\"evil\"';"
        "Promise.prototype.then = () => { throw 1 }; Function.prototype.call = 0",
        engine=engine,
    )

    assert value("return [({}).evil === undefined, [1].map(x => x + 1), typeof left, JSON.stringify({a: 1})]", engine=engine) == [
        True,
        [2],
        "undefined",
        '{"a":1}',
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_script_that_rewrites_everything_harms_only_itself(engine: str) -> None:
    outcome = run(
        "Array.prototype.push = String.prototype.slice = () => { throw 1 }; Object.prototype.toJSON = () => 'x'; return {a: 1}",
        engine=engine,
    )

    assert outcome.value in ("x", {"a": 1}, None)
    assert value("return {a: 1}", engine=engine) == {"a": 1}


# --- should an engine ever be broken out of: what the process around it allows -------------------------------------------

BROKEN_OUT = {
    "environment": ("import os; found = dict(os.environ)", {}),
    "files": ("import os; found = os.listdir('/')", "denied"),
    "a file": ("found = open(given['file']).read()", "denied"),
    "a new file": ("found = open('/x', 'w').write('x')", "denied"),
    "processes": ("import os; found = os.fork()", "denied"),
    "programs": ("import os; found = os.execv('/bin/sh', ['sh'])", "denied"),
    "the parent": ("import os; found = os.kill(given['parent'], 15)", "denied"),
    "sockets": ("import socket; found = socket.socket(socket.AF_INET).connect(('127.0.0.1', given['port']))", "denied"),
    "local sockets": ("import socket; found = socket.socket(socket.AF_UNIX).fileno()", "denied"),
    "memory": ("found = len(bytearray(2_000_000_000))", "MemoryError: "),
    "more limits": ("import resource; found = resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))", "denied"),
    "becoming root": ("import os; found = os.setuid(0)", "denied"),
}


@pytest.mark.skipif(not os.path.exists("/proc/self/ns/net"), reason="the system's own isolation is Linux's")  # noqa: PTH110
@pytest.mark.parametrize("what", BROKEN_OUT)
def test_a_process_that_is_broken_out_of_still_holds(what: str, canaries: Canaries) -> None:
    code, expected = BROKEN_OUT[what]
    outcome = loop.run(_probed(code, {"file": str(canaries.file), "parent": os.getpid(), "port": canaries.port}))

    if expected == "denied":
        assert str(outcome.value).split(":")[0] in ("PermissionError", "FileNotFoundError", "BlockingIOError", "ValueError", "OSError"), (
            outcome
        )
    else:
        assert outcome.value == expected
    canaries.check(outcome)


async def _probed(code: str, given: dict[str, Any]) -> Outcome:
    pool = Pool("tests.scenarios.jail.probe", size=1, memory_mb=32)
    conversation = Conversation(Script(code, ctx=given, limits=LIMITS), MockHost(), probe.Probe())
    try:
        await pool.run(conversation)
    finally:
        await pool.close()
    return conversation.outcome


def test_every_protection_holds_on_this_system() -> None:
    """Where one is missing, the engine and the limits of resources remain, and this test says which is missing."""

    async def held() -> tuple[str, ...]:
        pool = Pool("apps.scenarios.jail.engines.quickjs", size=1, memory_mb=32)
        async with pool.child() as child:
            found = child.protections
        await pool.close()
        return found

    assert set(loop.run(held())) >= {"resources"}
    if os.geteuid() == 0 and os.path.exists("/proc/self/ns/net"):  # noqa: PTH110
        assert set(loop.run(held())) == {"network", "files", "user", "resources", "system calls"}
