import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from apps.core.strictjson import StrictJsonError, loads

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(exclude_characters="\x00", exclude_categories=["Cs"]),
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner),
)


@given(VALUES)
def test_every_proper_value_is_read(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_our_error(body: bytes) -> None:
    with contextlib.suppress(StrictJsonError):
        loads(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The body is empty"),
        (b"  \n ", "The body is empty"),
        (b"{", "is not JSON: .* at line 1, column 2"),
        (b'{"a": 1,\n "b": }', "is not JSON: Expecting value at line 2, column 7"),
        (b"{} {}", "is not JSON: Extra data"),
        (b"{'a': 1}", "is not JSON"),
        (b"undefined", "is not JSON"),
        (b"\xff\xfe{\x00}\x00", "is not UTF-8"),
        (b'"\xff"', r"is not UTF-8 \(byte 2\)"),
        (b'"\xed\xa0\x80"', "is not UTF-8"),
        (b'"a\x00b"', "is not JSON: Invalid control character"),
        (b'"a\\u0000b"', "the character NUL"),
        (b'{"a\\u0000": 1}', "the character NUL"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b'"\\uD83D x"', "half of a surrogate pair"),
        (b"NaN", "NaN is not a JSON number"),
        (b'{"a": [Infinity]}', "Infinity is not a JSON number"),
        (b"-Infinity", "-Infinity is not a JSON number"),
        (b"1e400", "too large"),
        (b"-1e999", "too large"),
        (b"1" * 101, "more than 100 characters"),
        (b"0." + b"1" * 200, "more than 100 characters"),
        (b"1" * 5000, "more than 100 characters"),
        (b'{"a": 1, "a": 2}', "“a” occurs twice"),
        (b'{"a": {"b": 1, "c": 2, "b": 1}}', "“b” occurs twice"),
        (b'{"a": 1, "\\u0061": 2}', "“a” occurs twice"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"[" * 1_000_000, "deeper than 64"),
        (b'{"a":' * 1_000_000, "deeper than 64"),
        (b"[" * 1_000_000 + b"]" * 1_000_000, "deeper than 64"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(StrictJsonError, match=reason):
        loads(body)


def test_the_limit_of_depth_itself_passes() -> None:
    assert loads(b"[" * 64 + b"]" * 64)


def test_brackets_in_texts_are_not_depth() -> None:
    text = '[[[{{"\\"[[[' * 100
    assert loads(json.dumps({"a": text, "b": "\\"}).encode()) == {"a": text, "b": "\\"}


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    assert loads(b'"\\\\u0000 \\\\ud800"') == "\\u0000 \\ud800"


def test_a_surrogate_pair_is_one_character() -> None:
    assert loads(b'"\\ud83d\\ude00"') == "😀"


def test_a_byte_order_mark_is_ignored() -> None:
    assert loads(b"\xef\xbb\xbf{}") == {}


def test_the_size_is_limited() -> None:
    with pytest.raises(StrictJsonError, match="larger than 5 bytes") as caught:
        loads(b'"12345"', max_bytes=5)
    assert caught.value.too_large is True


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 4_000_000, b'"a' * 4_000_000, b"[]," * 3_000_000, b'"' * 9_000_000, b"\\" * 9_000_000])
def test_no_body_takes_long(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(StrictJsonError):
        loads(body)
    assert time.perf_counter() - started < 3


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def echo(request: Request) -> Response:
    return Response(request.data)


def post(body: bytes, content_type: str = "application/json") -> Response:
    response = echo(APIRequestFactory().post("/", body, content_type=content_type))
    response.render()
    return response


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"a": [1]}', 200),
        (b'"\\u0000"', 400),
        (b"[" * 100_000, 400),
        (b"NaN", 400),
        (b'{"a":1,"a":1}', 400),
        (b'"\xff"', 400),
    ],
)
def test_the_api_answers_400_and_never_500(body: bytes, status: int) -> None:
    assert post(body).status_code == status


def test_the_api_answers_413_to_a_large_body(settings: Settings) -> None:
    settings.CALL_MAX_BYTES = 10
    response = post(b'"123456789"')
    assert response.status_code == 413
    assert json.loads(response.content) == {"detail": "The body is larger than 10 bytes."}


def test_the_api_answers_415_to_other_content() -> None:
    assert post(b"a=1", "application/x-www-form-urlencoded").status_code == 415
