import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.bots import tokens


def test_a_token_tells_message_and_button() -> None:
    assert tokens.encode(1, 0) == "b:1.0"
    assert tokens.encode(3_844, 12) == "b:100.12"
    assert tokens.decode("b:100.12") == (3_844, 12)


@given(st.integers(1, tokens.LARGEST_ID), st.integers(0, tokens.LARGEST_INDEX))
def test_every_token_is_read_back_and_fits_the_smallest_messenger(message_id: int, index: int) -> None:
    token = tokens.encode(message_id, index)

    assert tokens.decode(token) == (message_id, index)
    assert len(token.encode()) <= 40


@pytest.mark.parametrize(
    "forged",
    ["", "b:", "b:1", "b:1.", "b:.0", "b:0.0", "b:01.0", "b:1.00", "b:1.0 ", " b:1.0", "B:1.0", "b:1.-1", "b:1.99999", "b:zzzzzzzzzzz.0", "b:-1.0",
     "b:1.0\n", "b:1.٣", "b:é.0", "b:" + "1" * 500 + ".0"],
)  # fmt: skip
def test_what_we_never_gave_is_not_a_token(forged: str) -> None:
    assert tokens.decode(forged) is None


@pytest.mark.parametrize(("message_id", "index"), [(0, 0), (-1, 0), (2**63, 0), (1, -1), (1, 10_000)])
def test_only_stored_messages_and_small_indexes_have_tokens(message_id: int, index: int) -> None:
    with pytest.raises(ValueError, match="stored message"):
        tokens.encode(message_id, index)
