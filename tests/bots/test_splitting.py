import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.bots.splitting import shortened, spans, units


def parts(text: str, limit: int) -> list[str]:
    return [text[start:end] for start, end in spans(text, limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ", []),
        ("short", ["short"]),
        ("  short  ", ["short"]),
        ("first paragraph\n\nsecond one", ["first paragraph", "second one"]),
        ("first line here\nsecond line", ["first line here", "second line"]),
        ("A sentence ends. Another goes on", ["A sentence ends.", "Another goes on"]),
        ("words that have no end at all", ["words that have no", "end at all"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmnopqrst", "uvwxyz"]),
        ("exactly twenty chars", ["exactly twenty chars"]),
        ("exactly twenty chars and more", ["exactly twenty chars", "and more"]),
        ("Да. " + "слово " * 5, ["Да. слово слово", "слово слово слово"]),
    ],
)
def test_a_text_of_at_most_twenty_is_cut_at_the_best_place(text: str, expected: list[str]) -> None:
    assert parts(text, 20) == expected


def test_a_paragraph_end_near_the_beginning_does_not_make_a_tiny_part() -> None:
    assert parts("Hi\n\n" + "x" * 30 + " y", 36) == ["Hi\n\n" + "x" * 30 + " y"]
    assert parts("Hi\n\n" + "word " * 10, 40)[0] == "Hi\n\nword word word word word word word"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("😀😀😀", 4, ["😀😀", "😀"]),
        ("😀😀😀", 5, ["😀😀", "😀"]),
        ("aaa👩‍👩‍👧‍👦", 12, ["aaa", "👩‍👩‍👧‍👦"]),
        ("aaa👍🏽", 6, ["aaa", "👍🏽"]),
        ("aaae\u0301", 4, ["aaa", "e\u0301"]),
        ("🇺🇦🇫🇷", 6, ["🇺🇦", "🇫🇷"]),
    ],
)
def test_a_visible_character_is_never_cut(text: str, limit: int, expected: list[str]) -> None:
    assert parts(text, limit) == expected


def test_a_character_longer_than_the_room_is_cut_rather_than_lost() -> None:
    monster = "e" + "\u0301" * 200

    assert "".join(parts(monster, 50)) == monster


@given(st.text(max_size=400), st.integers(2, 60))
def test_nothing_is_lost_and_every_part_fits(text: str, limit: int) -> None:
    found = parts(text, limit)

    assert "".join("".join(part.split()) for part in found) == "".join(text.split())
    assert all(0 < units(part) <= limit for part in found)


@given(st.text(max_size=100))
def test_units_are_utf16_code_units(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("Confirm", 7, "Confirm"), ("Confirm it", 7, "Confir…"), ("To be or", 4, "To…"), ("no limit", 0, "no limit"), ("😀😀😀", 4, "😀…")],
)
def test_labels_are_cut_with_an_ellipsis(text: str, limit: int, expected: str) -> None:
    assert shortened(text, limit) == expected
