"""A draft may hold any JSON: everything that reads one says what is wrong or passes over it, and nothing breaks."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.scenarios import comparing, loose, needs, publishing
from apps.scenarios.admin.outline import outline
from apps.scenarios.builder.linting import lint
from apps.scenarios.languages import texts
from apps.scenarios.models import Scenario
from apps.scenarios.ordering import readable
from apps.scenarios.simulation import testing
from apps.scenarios.versions import differing
from tests.making import make_bot
from tests.scenarios.definitions import thank_you
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db
ANYTHING: tuple[Any, ...] = (None, 5, -1.5, True, "", "x", "{{ x", [], {}, [None], [[]], {"a": 1}, {"en": 5}, [{"id": {}}], "\ud83d")
TRIGGERS = [
    {"kind": "keyword", "words": ["menu"], "language": "en"}, {"kind": "schedule", "cron": "0 10 * * *"}, {"kind": "date", "attribute": "day"},
    {"kind": "deep_link", "payload": "a"}, {"kind": "event", "name": "x"},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def whole() -> dict[str, Any]:
    return {
        **thank_you(),
        "triggers": TRIGGERS,
        "languages": ["en", "ru"],
        "policies": {"arrival": "skip", "old_buttons": {"text": {"en": "Old"}}},
    }


def broken(path: tuple[Any, ...], thing: Any) -> Any:
    made = copy.deepcopy(whole())
    if not path:
        return thing
    parent: Any = made
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = thing
    return made


def drafts(most: int) -> list[Any]:
    """Each place with each thing, of these a part by chance, the same each time."""
    chance = random.Random(4)  # noqa: S311  no secret hangs on it
    every = [(path, thing) for path in places(whole()) for thing in ANYTHING]
    return [broken(path, thing) for path, thing in chance.sample(every, most)]


def test_what_reads_drafts_breaks_on_none(db: None) -> None:
    bot = make_bot()
    good = make_scenario(bot, thank_you())
    for draft in drafts(120):
        publishing.check(draft, bot=bot)
        lint(draft, bot=bot)
        outline(draft)
        loose.names(draft)
        texts.shares(texts.lines(draft), texts.of_bot(bot, draft))
        readable(draft)
        if isinstance(draft, dict):
            comparing.compare(good.draft, draft)
            comparing.compare(draft, good.draft)
            comparing.text_difference(good.draft, draft)
            needs.missing(draft, bot)
            differing.difference(differing.Side("1", good.draft, {}), differing.Side("draft", draft, {}))
            good.draft = draft
            testing.run_all(good)
    for thing in ANYTHING:
        layout = {"nodes": thing, "sections": {"main": thing}, "main": thing}
        differing.difference(differing.Side("1", good.draft, {}), differing.Side("draft", whole(), layout))


@pytest.mark.parametrize("draft", [draft for draft in drafts(60) if isinstance(draft, dict)][:6])
def test_every_page_of_it_opens(draft: dict[str, Any], client: Client, bot: Bot) -> None:
    client.force_login(User.objects.create_superuser("root"))
    scenario = make_scenario(bot, thank_you())
    Scenario.objects.update(draft=without_halves(draft))
    for page in (
        "change",
        "publish",
        "preview",
        "tests",
        "compare",
        "languages",
        "languages/export",
        "export",
        "builder",
        "start",
        "analytics",
    ):
        answer = client.get(
            f"/admin/scenarios/scenario/{scenario.pk}/{page}/", {"format": "csv", "language": "ru"} if "export" in page else {}
        )
        assert (page, answer.status_code) == (page, 200)
    for address in ("draft", "publication", "differences", "tests", "versions", "builder", "analytics"):
        assert (address, client.get(f"/api/scenarios/{scenario.pk}/{address}").status_code) == (address, 200)


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot()


def without_halves(draft: Any) -> Any:
    """The database takes no half of a pair of surrogates; the forms refuse it."""
    if isinstance(draft, str):
        return draft.encode(errors="replace").decode()
    if isinstance(draft, dict):
        return {key: without_halves(item) for key, item in draft.items()}
    return [without_halves(item) for item in draft] if isinstance(draft, list) else draft
