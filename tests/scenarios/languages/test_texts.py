"""Texts of a scenario in several languages: read out, written back, exchanged with translators, and chosen at run time."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.scenarios.engine.contract import Facts, Say, Start
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.engine.stepping import step
from apps.scenarios.languages import saving, texts
from apps.scenarios.languages.exchange import FormatError, Sheet, formats
from apps.scenarios.languages.saving import Cell
from apps.scenarios.languages.texts import Line
from apps.scenarios.models import Scenario
from apps.scenarios.registry import actions, blocks
from tests.making import make_bot
from tests.scenarios.definitions import Json, button, definition, node, says, thank_you
from tests.scenarios.making import make_scenario

KEYS = ["thanks/buttons.0.confirm.label", "thanks/buttons.0.later.label", "thanks/text", "done/text", "bye/text"]


def line(key: str, **by_language: str) -> Line:
    return Line(key, f"place of {key}", by_language)


def texts_of(data: Json) -> dict[str, dict[str, str]]:
    return {found.key: dict(found.texts) for found in texts.lines(data)}


# --- in the definition -----------------------------------------------------------------------------------------------


def test_every_text_has_a_key_of_ids_and_a_place_in_words() -> None:
    found = texts.lines(thank_you())
    assert sorted(one.key for one in found) == sorted(KEYS)
    label = next(one for one in found if one.key == "thanks/buttons.0.confirm.label")
    assert (label.place, dict(label.texts), label.node) == ("thanks › Buttons › 0 › confirm › Label", {"en": "Confirm"}, "thanks")


def test_translations_are_written_beside_the_base_and_taken_away_again() -> None:
    given_texts = [("done/text", {"ru": "Подтверждено."}), ("thanks/buttons.0.later.label", {"ru": "Позже"})]
    applied = texts.apply(thank_you(), given_texts, base="en", languages=["ru"])
    assert applied.changed == [("done/text", "ru"), ("thanks/buttons.0.later.label", "ru")]
    assert texts_of(applied.definition)["done/text"] == {"en": "Confirmed.", "ru": "Подтверждено."}
    assert applied.definition["languages"] == ["en", "ru"]
    back = texts.apply(applied.definition, [(key, {"ru": ""}) for key, _texts in given_texts], base="en")
    assert back.definition["sections"] == thank_you()["sections"]


def test_a_key_still_means_the_same_button_when_rows_were_moved() -> None:
    data = thank_you()
    data["sections"][0]["nodes"][1]["params"]["buttons"][0].reverse()
    applied = texts.apply(data, [("thanks/buttons.0.confirm.label", {"ru": "Да"})], base="en")
    assert applied.definition["sections"][0]["nodes"][1]["params"]["buttons"][0][1]["label"] == {"en": "Confirm", "ru": "Да"}


def test_what_is_unknown_or_has_another_base_by_now_is_told() -> None:
    applied = texts.apply(thank_you(), [("gone/text", {"ru": "x"}), ("done/text", {"en": "Old words", "ru": "x"})], base="en")
    assert (applied.unknown, applied.stale) == (["gone/text"], ["done/text"])
    assert texts_of(applied.definition)["done/text"] == {"en": "Confirmed.", "ru": "x"}
    taken = texts.apply(thank_you(), [("done/text", {"en": "New words"})], base="en", take_base=True)
    assert (texts_of(taken.definition)["done/text"], taken.stale) == ({"en": "New words"}, [])


def test_completeness_counts_what_has_words() -> None:
    data = definition(
        node("start", "start", next="a"),
        node("a", "message", {"text": {"en": "Hello", "ru": "Привет"}}, next="b"),
        node("b", "message", {"text": "{{ amount }} 100 %"}, next="c"),
        node("c", "message", {"text": "Bye"}),
        languages=["en", "ru"],
    )
    shares = texts.shares(texts.lines(data), ["en", "ru"])
    assert [(share.language, share.done, share.whole, share.percent) for share in shares] == [("en", 2, 2, 100), ("ru", 1, 2, 50)]


@pytest.mark.parametrize("data", [{}, {"sections": "x"}, 5, None, {"sections": [{"id": "main", "nodes": [{"id": "a", "kind": "?"}]}]}])
def test_a_definition_that_cannot_be_read_has_no_texts(data: Any) -> None:
    assert texts.lines(data) == []


# --- files -----------------------------------------------------------------------------------------------------------

ODD = [
    "=1+1", "'=1+1", "+7 999", "@name", "-5", "'", "''quoted", " padded ", "two\nlines", 'tab\tand "quotes"', "back\\slash \\n", "win\r\nend",
    '{{ user_name | default: "friend" }}', "עברית", "Ўзбекча", "👍🏽 ok", "_x000D_", "x005F_", "⟦000A⟧", "a;b,c", "\u2028 separator", "#. not a note",
    'msgid "x"', "\n", "   ", "\x0b vertical", "\x7f", "%s 100%",
]  # fmt: skip


def thousand() -> list[Line]:
    """A thousand texts, every odd one among them, in three languages."""
    chance = random.Random(7)  # noqa: S311  a repeatable sample
    return [
        line(f"node{number}/text", en=f"{chance.choice(ODD)}{number}", ru=chance.choice(ODD), uz=chance.choice(["", *ODD]))
        for number in range(1000)
    ]


@pytest.mark.parametrize("kind", sorted(formats))
def test_a_thousand_texts_come_back_as_they_went(kind: str) -> None:
    lines = thousand()
    format_ = formats[kind]
    languages = ["ru"] if format_.one_language else ["ru", "uz"]
    loaded = format_.load(format_.dump(Sheet("Test", "en", languages, lines)))
    assert list(loaded.languages) == ["en", *languages]
    assert [(key, dict(found)) for key, found in loaded.texts] == [
        (one.key, {code: one.texts[code] for code in ("en", *languages)}) for one in lines
    ]


@pytest.mark.parametrize("kind", ["csv", "po"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
def test_any_text_comes_back(kind: str, said: str) -> None:
    format_ = formats[kind]
    loaded = format_.load(format_.dump(Sheet("Test", "en", ["ru"], [line("a/text", en=said, ru=said)])))
    assert [dict(found) for _key, found in loaded.texts] == [{"en": said, "ru": said}]


def test_no_cell_is_a_formula() -> None:
    body = formats["csv"].dump(Sheet("Test", "en", ["ru"], [line("a/text", en="=HYPERLINK(1)", ru="+1")])).decode("utf-8-sig")
    assert body.splitlines()[1].split(",")[2:] == ['"\'=HYPERLINK(1)"', '"\'+1"']


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("csv", b""), ("csv", b"a,b\n1,2"), ("csv", b"\xff\xfe"), ("csv", b"key,place,klingonese language\nx,y,z"), ("xlsx", b"PK nonsense"), ("xlsx", b""),
        ("po", b"nonsense"), ("po", b'msgid "a"\nmsgstr "b"\n'), ("po", b"\xff"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(kind: str, body: bytes) -> None:
    with pytest.raises(FormatError):
        formats[kind].load(body)


def test_guesses_of_a_program_do_not_count() -> None:
    body = formats["po"].dump(Sheet("Test", "en", ["ru"], [line("a/text", en="A", ru="Б"), line("b/text", en="B", ru="В")])).decode()
    body = body.replace("#. place of a/text", "#. place of a/text\n#, fuzzy")
    assert [dict(found)["ru"] for _key, found in formats["po"].load(body.encode()).texts] == ["", "В"]


# --- saving ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def scenario(db: None) -> Scenario:
    return make_scenario(make_bot(name="Shop"), thank_you())


def stored(scenario: Scenario) -> dict[str, dict[str, str]]:
    scenario.refresh_from_db()
    return texts_of(scenario.draft)


def test_translators_and_authors_at_once_lose_nothing(scenario: Scenario) -> None:
    cells = [Cell("done/text", "ru", "", "Готово"), Cell("bye/text", "ru", "", "Как хотите"), Cell("thanks/text", "ru", "", "")]
    author = json.loads(json.dumps(scenario.draft))
    author["sections"][0]["nodes"][2]["params"]["text"] = {"en": "Confirmed!", "ru": "Подтверждено!"}
    Scenario.objects.filter(pk=scenario.pk).update(draft=author, draft_version=7)
    applied, lost = saving.save_cells(scenario, cells, user=None)
    assert ([cell.key for cell in lost], applied.changed) == (["done/text"], [("bye/text", "ru")])
    assert stored(scenario)["done/text"] == {"en": "Confirmed!", "ru": "Подтверждено!"}
    assert (stored(scenario)["bye/text"]["ru"], scenario.draft_version) == ("Как хотите", 8)


def test_a_file_that_changes_nothing_saves_nothing(scenario: Scenario) -> None:
    format_ = formats["xlsx"]
    body = format_.dump(Sheet("Shop", "en", [], texts.lines(scenario.draft)))
    saving.save_file(scenario, format_.load(body), take_base=False, user=None)
    scenario.refresh_from_db()
    assert scenario.draft_version == 1


# --- at run time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "bot", "expected"),
    [
        ("uz", "ru", "uz"),
        ("uk", "ru", "ru"),
        ("fr", "ru", "ru"),
        ("fr", "de", "en"),
        ("uz-Latn", "ru", "uz"),
        (None, "ru", "ru"),
        (None, None, "en"),
    ],
)
def test_the_persons_language_then_the_bots_then_the_base(person: str | None, bot: str | None, expected: str) -> None:
    said = {"en": "en", "ru": "ru", "uz": "uz"}
    flow = compile_definition(says("", languages=["en", "ru", "uz", "uk"]), blocks=blocks)
    data = json.loads(json.dumps(flow.source))
    data["sections"][0]["nodes"][1]["params"]["text"] = said
    flow = compile_definition(data, blocks=blocks, actions=actions)
    facts = Facts(language=person, bot={"language": bot} if bot else {})
    found = step(flow, None, Start(), facts=facts, clock=lambda: datetime(2026, 5, 20, tzinfo=UTC), rng=random.Random(0))  # noqa: S311
    assert [effect.content["text"] for effect in found.effects if isinstance(effect, Say)] == [expected]


def test_a_button_routes_alike_in_every_language() -> None:
    data = definition(
        node("start", "start", next="ask"),
        node("ask", "message", {"text": "?", "buttons": [[{**button("yes", "Yes"), "label": {"en": "Yes", "ru": "Да"}}]]}, yes="end"),
        node("end", "end"),
        languages=["en", "ru"],
    )
    flow = compile_definition(data, blocks=blocks)
    found = step(flow, None, Start(), facts=Facts(language="ru"), clock=lambda: datetime(2026, 5, 20, tzinfo=UTC), rng=random.Random(0))  # noqa: S311
    [said] = [effect.content for effect in found.effects if isinstance(effect, Say)]
    assert [(item["id"], item["label"]) for item in said["buttons"][0]] == [("yes", "Да")]
