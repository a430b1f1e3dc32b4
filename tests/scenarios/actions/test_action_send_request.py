"""What is sent, and in which exit each answer ends."""

from typing import Any

import pytest

from apps.scenarios.action import CallReply
from apps.scenarios.actions.action_send_request import SendRequest, SendRequestParams
from tests.scenarios.actions.contexts import context_of

ACTION = SendRequest()


def params(**fields: Any) -> SendRequestParams:
    return SendRequestParams.model_validate({"url": "https://crm.example.com/api", **fields})


def stored(**fields: Any) -> dict[str, Any]:
    return ACTION.request(context_of(None), params(**fields)).dump()


def test_an_object_is_sent_as_json_with_what_the_sender_needs() -> None:
    assert stored(body={"order_id": 9821, "action": "confirm_payment"}, headers={"X-Shop": 7}, retries=3, backoff_seconds=2) == {
        "method": "POST",
        "url": "https://crm.example.com/api",
        "headers": {"X-Shop": "7"},
        "json": {"order_id": 9821, "action": "confirm_payment"},
        "timeout": 10.0,
        "retries": 3,
        "backoff_seconds": 2.0,
        "retry_on": ["429", "5xx", "reset", "timeout"],
    }


@pytest.mark.parametrize(
    ("fields", "body", "kind"),
    [
        ({"body": "a=1"}, "a=1", "text/plain; charset=utf-8"),
        ({"body": '{"a": 1}'}, '{"a": 1}', "application/json"),
        ({"body": {"a": 1, "b": "x y"}, "body_format": "form"}, "a=1&b=x+y", "application/x-www-form-urlencoded"),
    ],
)
def test_a_text_is_sent_as_it_is_and_a_form_as_a_form(fields: dict[str, Any], body: str, kind: str) -> None:
    request = stored(**fields)
    assert (request["body"], request["headers"]) == (body, {"Content-Type": kind})


def test_the_authors_own_content_type_wins() -> None:
    assert stored(body="<a/>", headers={"Content-Type": "application/xml"})["headers"] == {"Content-Type": "application/xml"}


def test_without_a_body_nothing_is_sent_as_one() -> None:
    assert {"json", "body"} & set(stored(body=None)) == set()
    assert {"json", "body"} & set(stored(body="")) == set()


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("https://a.example/user", "https://a.example/user?phone=%2B380501112233&n=7"),
        ("https://a.example/user?x=1", "https://a.example/user?x=1&phone=%2B380501112233&n=7"),
        ("https://a.example/user#part", "https://a.example/user?phone=%2B380501112233&n=7#part"),
    ],
)
def test_query_parameters_are_encoded_and_empty_ones_left_out(url: str, full: str) -> None:
    assert stored(url=url, query={"phone": "+380501112233", "email": "", "none": None, "n": 7})["url"] == full


OK = {"status": 200, "headers": {"x-request-id": "r1"}, "body": '{"user": {"id": 125, "tags": ["a", "b"]}}'}
SAVE = {
    "user": "json.user",
    "user_id": "json.user.id",
    "tag": "json.user.tags.1",
    "nothing": "json.user.name",
    "code": "status",
    "request_id": "headers.x-request-id",
}


def test_values_are_taken_out_of_the_answer_by_path() -> None:
    result = ACTION.result(context_of(None), params(save=SAVE), CallReply.load(OK))
    assert (result.exit, result.error) == ("ok", "")
    assert result.values == {
        "user": {"id": 125, "tags": ["a", "b"]},
        "user_id": 125,
        "tag": "b",
        "nothing": None,
        "code": 200,
        "request_id": "r1",
        "request_status": 200,
        "request_error": "",
    }


@pytest.mark.parametrize(
    ("reply", "taken", "error"),
    [
        ({"status": 204, "body": ""}, "ok", ""),
        ({"status": 404, "body": "{}"}, "client_error", "The system refused the request with 404."),
        ({"status": 429, "body": "{}"}, "client_error", "The system refused the request with 429."),
        (
            {"status": 302, "headers": {"location": "http://10.0.0.1"}},
            "client_error",
            "The system answered 302; redirects are not followed.",
        ),
        ({"status": 500, "body": "<html>"}, "server_error", "The system answered 500."),
        ({"error": "timeout", "reason": "No answer within 10 s."}, "timeout", "No answer within 10 s."),
        ({"error": "refused", "reason": "The address is not public."}, "refused", "The address is not public."),
        ({"error": "failed", "reason": "The connection broke."}, "server_error", "The connection broke."),
        ({"error": "failed"}, "server_error", "The system could not be reached."),
    ],
)
def test_every_answer_has_its_exit(reply: dict[str, Any], taken: str, error: str) -> None:
    result = ACTION.result(context_of(None), params(), CallReply.load(reply))
    assert (result.exit, result.error) == (taken, error)
    assert result.values == {"request_status": reply.get("status", 0), "request_error": error}


def test_a_failed_call_leaves_earlier_values_alone() -> None:
    result = ACTION.result(context_of(None), params(save=SAVE), CallReply.load({"status": 404, "body": '{"user": {"id": 1}}'}))
    assert set(result.values) == {"request_status", "request_error"}


@pytest.mark.parametrize("body", ["<html>Sign in</html>", "", "{broken", "NaN", "[" * 100 + "]" * 100])
def test_html_where_json_was_expected_is_the_systems_error(body: str) -> None:
    result = ACTION.result(context_of(None), params(save={"user": "json.user"}), CallReply.load({"status": 200, "body": body}))
    assert (result.exit, result.error) == ("server_error", "The system's answer is not JSON.")


def test_a_text_answer_is_fine_when_no_json_is_wanted() -> None:
    result = ACTION.result(context_of(None), params(save={"page": "text"}), CallReply.load({"status": 200, "body": "<html>"}))
    assert (result.exit, result.values["page"]) == ("ok", "<html>")


def test_the_check_knows_which_variables_are_set() -> None:
    assert ACTION.sets({"save": {"order": "json"}}) == ["order", "request_status", "request_error"]
    assert ACTION.sets({"save": "{{ placeholder }}"}) == ["request_status", "request_error"]
