import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.bots import markup
from tools.emulators.telegram.entities import read_html


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("<b>Hi</b>", "<b>Hi</b>"),
        ("<strong>a</strong><em>b</em><del>c</del><ins>d</ins>", "<b>a</b><i>b</i><s>c</s><u>d</u>"),
        ("<p>one</p><p>two</p>", "one\ntwo\n"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "• one\n• two\n"),
        ("AT&T &lt;3 &amp; &copy;", "AT&amp;T &lt;3 &amp; ©"),
        ("1 < 2 and 3 > 2", "1 &lt; 2 and 3 &gt; 2"),
        ("Dear <name>, hello", "Dear &lt;name&gt;, hello"),
        ("<b>not closed", "<b>not closed</b>"),
        ("not opened</b> here", "not opened here"),
        ("<b>crossed <i>tags</b> here</i>", "<b>crossed <i>tags</i></b> here"),
        ('<a href="https://x.example/?a=1&amp;b=2">link</a>', '<a href="https://x.example/?a=1&amp;b=2">link</a>'),
        ('<a href="javascript:alert(1)">link</a>', "link"),
        ("<a>link</a>", "link"),
        ("<script>alert(1)</script>safe<style>b{}</style>", "safe"),
        ('<span class="tg-spoiler">secret</span><span>plain</span>', "<tg-spoiler>secret</tg-spoiler>plain"),
        ("<blockquote expandable>long</blockquote>", "<blockquote expandable>long</blockquote>"),
        ("<!-- hidden -->shown", "shown"),
    ],
)
def test_html_is_written_so_that_telegram_takes_it(source: str, written: str) -> None:
    assert markup.write(markup.read(source)) == written
    read_html(written.replace(" expandable", ""))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<b>Hi</b> &amp; bye", "Hi & bye"),
        ('See <a href="https://x.example">our <b>site</b></a>!', "See our site (https://x.example)!"),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
    ],
)
def test_plain_text_keeps_the_addresses_of_links(source: str, expected: str) -> None:
    assert markup.plain(source) == expected


def test_a_part_of_a_long_text_has_balanced_tags_of_its_own() -> None:
    assert markup.split("<b>one <i>two</i> three</b> four", 8) == ["<b>one <i>two</i></b>", "<b>three</b>", "four"]


def test_an_entity_is_never_cut() -> None:
    assert markup.split("&lt;" * 5, 2) == ["&lt;&lt;", "&lt;&lt;", "&lt;"]


tags = st.sampled_from(["b", "i", "u", "s", "code", "pre", "blockquote", "tg-spoiler"])
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@st.composite
def html(draw: st.DrawFn, depth: int = 3) -> str:
    pieces = [draw(words).replace("&", "&amp;").replace("<", "&lt;")]
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        tag = draw(tags)
        pieces.append(f"<{tag}>{draw(html(depth=depth - 1))}</{tag}>")
    return " ".join(pieces)


@given(html(), st.integers(2, 40))
def test_every_part_is_readable_by_telegram_and_nothing_is_lost(source: str, limit: int) -> None:
    parts = markup.split(source, limit)
    shown = [read_html(part)[0] for part in parts]

    assert "".join("".join(text.split()) for text in shown) == "".join(markup.text_of(markup.read(source)).split())
    assert all(len(text.encode("utf-16-le")) // 2 <= limit for text in shown)


@given(st.text(max_size=200))
def test_whatever_was_written_becomes_readable_html(source: str) -> None:
    read_html(markup.write(markup.read(source)))
