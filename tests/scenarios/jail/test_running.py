"""What a script can do, on both engines."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from apps.scenarios.jail import running
from apps.scenarios.jail.outcome import Script
from tests.scenarios.jail.running import ENGINES, TIGHT, run, value

pytestmark = pytest.mark.parametrize("engine", ENGINES)


class Slow:
    """A host whose other systems never answer."""

    async def call_api(self, request: dict[str, Any], *, number: int) -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    async def table(self, request: dict[str, Any], *, number: int) -> Any:
        return None


ANSWER = [{"url": "https://crm.example/*", "status": 201, "body": {"id": 7}}]


def test_the_returned_value_comes_back_as_json(engine: str) -> None:
    assert value("return {n: ctx.params.n + 1, list: [1, 'a', null]}", engine=engine, ctx={"params": {"n": 41}}) == {
        "n": 42,
        "list": [1, "a", None],
    }
    assert value("", engine=engine) is None


def test_calls_are_awaited_one_by_one_or_together(engine: str) -> None:
    code = """
    const one = await callApi({url: "https://crm.example/a", method: "POST", body: {x: 1}})
    const both = await Promise.all([callApi("https://crm.example/b"), callApi({url: "https://crm.example/c"})])
    return [one, both.map(reply => reply.body.id)]
    """
    outcome = run(code, engine=engine, mocks=ANSWER)

    assert outcome.value == [{"ok": True, "status": 201, "headers": {}, "body": {"id": 7}}, [7, 7]]
    assert [row.shown.get("url") for row in outcome.asked] == [f"https://crm.example/{letter}" for letter in "abc"]
    assert [row.answer for row in outcome.asked] == [201, 201, 201]


def test_a_call_that_nobody_waits_for_is_made_all_the_same_and_disturbs_no_later_run(engine: str) -> None:
    outcome = run("callApi('https://crm.example/a'); return 1", engine=engine, mocks=ANSWER)

    assert (outcome.value, [row.answer for row in outcome.asked]) == (1, [201])
    assert value("return 2", engine=engine) == 2


def test_a_refused_call_can_be_caught_and_else_names_the_line_of_the_call(engine: str) -> None:
    caught = value("try { await callApi('https://x.example/') } catch (error) { return error.message }", engine=engine)
    error = run("\n\n  await callApi('https://x.example/')", engine=engine).error

    assert caught == "There is no prepared answer for GET https://x.example/. Add one, or tick “really call”."
    assert error is not None
    assert (error.kind, error.line) == ("error", 3)


def test_exit_ends_the_script_and_names_the_way_out(engine: str) -> None:
    outcome = run("exit('not_found', {looked_for: 5}); return 'never'", engine=engine)

    assert (outcome.exit, outcome.value, outcome.error) == ("not_found", {"looked_for": 5}, None)


def test_memory_and_events_are_collected_in_order_and_read_back(engine: str) -> None:
    code = """
    const before = memory.get("visits")
    memory.set("visits", before + 1)
    emit("visited", {n: memory.get("visits")})
    return [before, memory.get("visits"), memory.get("nothing")]
    """
    outcome = run(code, engine=engine, memory={"visits": 2})

    assert outcome.value == [2, 3, None]
    assert outcome.writes == (
        {"kind": "memory", "data": {"key": "visits", "value": 3}},
        {"kind": "emit", "data": {"name": "visited", "data": {"n": 3}}},
    )


def test_a_script_that_fails_writes_nothing(engine: str) -> None:
    outcome = run("memory.set('a', 1); emit('b'); throw new Error('no')", engine=engine)

    assert outcome.writes == ()


def test_tables_are_read_and_written(engine: str) -> None:
    code = """
    const made = await table("complaints").insert({text: "late"})
    await table("complaints").update(made.id, {text: "very late"})
    return [(await table("complaints").get(made.id)).text, (await table("complaints").find({text: "very late"})).length]
    """

    assert value(code, engine=engine) == ["very late", 1]


def test_logs_are_lines_and_bounded(engine: str) -> None:
    outcome = run("log('a', 1, {b: [2]}); console.log(new Error('c')); for (let i = 0; i < 500; i++) log(i)", engine=engine)

    assert outcome.logs[:3] == ('a 1 {"b":[2]}', "Error: c", "0")
    assert len(outcome.logs) == 200


@pytest.mark.parametrize(
    ("code", "line", "text"),
    [
        ("// 1\n" * 22 + "ctx.params.order.id", 23, "Script error at line 23, column"),
        ("let a = 1\nlet b = = 2", 2, "SyntaxError"),
        ("throw new Error('Stock is empty')", 1, "Script error at line 1, column"),
        ("\nfunction f() {\n  undefinedName()\n}\n\nf()", 3, "undefinedName is not defined"),
    ],
)
def test_errors_name_their_line(engine: str, code: str, line: int, text: str) -> None:
    error = run(code, engine=engine).error

    assert error is not None
    assert error.line == line
    assert text in error.text
    assert error.column > 0


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("for (;;) {}", "cpu"),
        ("for (let i = 0; i < 100; i++) await callApi('https://crm.example/')", "calls"),
        ("return 'x'.repeat(300 * 1024)", "output"),
        ("const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1))", "memory"),
    ],
)
def test_each_limit_has_its_own_message(engine: str, code: str, limit: str) -> None:
    error = run(code, engine=engine, mocks=ANSWER).error

    assert error is not None
    assert error.kind == limit
    assert {"cpu": "computed for more than 0.4 s", "calls": "20 times", "output": "at most 256 kB", "memory": "32 MB"}[limit] in error.text


def test_waiting_too_long_has_its_own_message(engine: str) -> None:
    outcome = running.run_sync(Script("await callApi('x')", limits=replace(TIGHT, wall_seconds=0.3)), Slow(), engine=engine)

    assert outcome.error is not None
    assert outcome.error.kind == "wall"
    assert "longer than 0.3 s" in outcome.error.text


def test_secrets_do_not_come_out(engine: str) -> None:
    code = "log(ctx.params.key); memory.set('k', ctx.params.key); await callApi({url: 'https://crm.example/', headers: {k: ctx.params.key}}); return [ctx.params.key]"
    outcome = run(code, engine=engine, mocks=ANSWER, ctx={"params": {"key": "sk-12345"}}, secrets=("sk-12345",))

    assert outcome.error is None
    assert "sk-12345" not in str(outcome.dump())
    assert outcome.value == ["•••"]


def test_time_and_memory_are_measured(engine: str) -> None:
    outcome = run("const a = []; for (let i = 0; i < 60000; i++) a.push({i}); return a.length", engine=engine, fresh=True)

    assert outcome.value == 60000
    assert outcome.cpu_ms > 1
    assert 500 < outcome.memory_kb < 64 * 1024


def test_keys_that_mean_something_to_javascript_are_plain_data(engine: str) -> None:
    code = "return [ctx.params.__proto__.evil, Object.keys(ctx.params), ({}).evil === undefined]"

    assert value(code, engine=engine, ctx={"params": {"__proto__": {"evil": 1}}}) == [1, ["__proto__"], True]
