import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.scenarios.jail.making import make_action


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("run_action", *arguments, stdout=out)
    return out.getvalue()


def written(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content)
    return str(folder / name)


def test_a_file_runs_with_its_parameters(tmp_path: Path) -> None:
    code = written(tmp_path, "a.js", "log('got', ctx.params.id); exit('found', {id: ctx.params.id})")

    told = run("--code", code, "--input", '{"id": 5}').splitlines()

    assert told[:3] == ['result: {"id": 5}', "exit: found", "log: got 5"]


def test_an_error_names_its_line(tmp_path: Path) -> None:
    code = written(tmp_path, "a.js", "\n" * 22 + "throw new TypeError('no order')")

    with pytest.raises(CommandError, match=r"^Script error at line 23, column \d+: TypeError: no order$"):
        run("--code", code)


def test_prepared_answers_take_the_place_of_calls(tmp_path: Path) -> None:
    code = written(tmp_path, "a.js", "return (await callApi('https://crm.example/x')).body")
    mocks = written(tmp_path, "m.json", json.dumps([{"url": "https://crm.example/*", "body": {"a": 1}}]))

    assert run("--code", code, "--mocks", mocks).splitlines()[0] == 'result: {"a": 1}'


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", ["http://10.0.0.5/", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"])
def test_calls_go_through_the_guarded_client(tmp_path: Path, url: str) -> None:
    code = written(tmp_path, "a.js", f"try {{ await callApi('{url}') }} catch (error) {{ return 'refused: ' + error.message }}")

    assert run("--code", code).splitlines()[0].startswith('result: "refused: ')


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Give either"),
        (["--code", "/nowhere.js"], "cannot be read"),
        (["--code", "CODE", "--input", "{"], "--input"),
    ],
)
def test_wrong_use_is_explained(tmp_path: Path, arguments: list[str], told: Any) -> None:
    code = written(tmp_path, "a.js", "")

    with pytest.raises(CommandError, match=told):
        run(*[code if argument == "CODE" else argument for argument in arguments])


@pytest.mark.django_db
def test_a_published_action_runs_by_its_name() -> None:
    action = make_action("return ctx.params.n + 1", params=[{"name": "n", "type": "integer", "required": True}])
    action.code = "return 'the draft'"
    action.save()

    assert run("check_stock", "--input", '{"n": "41"}').splitlines()[0] == "result: 42"
    assert run("check_stock", "--draft", "--input", '{"n": 1}').splitlines()[0] == 'result: "the draft"'
    with pytest.raises(CommandError, match=r"^--input: n: "):
        run("check_stock", "--input", '{"n": "many"}')
    with pytest.raises(CommandError, match="There are: check_stock"):
        run("check_stok")
