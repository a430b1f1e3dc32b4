"""A bot taken out as a file and brought in again, on the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.bots.models import Bot
from apps.core.models import AuditEntry
from apps.gateway.models import Endpoint
from apps.scenarios import botfile
from apps.scenarios.models import Scenario
from tests.admin.world import World

pytestmark = pytest.mark.django_db
IMPORT = "/admin/scenarios/scenario/import/"
FIXTURE = Path("fixtures/ecommerce/bot.json")


def exported(bot: Bot) -> str:
    return f"/admin/scenarios/scenario/bot-file/{bot.pk}/"


def upload(body: bytes, **fields: object) -> dict[str, object]:
    return {"file": SimpleUploadedFile("bot.json", body), "publish": "on", "note": "", "bot": "", **fields}


def test_a_file_is_looked_at_first_and_then_imported_for_good(page: Client) -> None:
    looked = page.post(IMPORT, upload(FIXTURE.read_bytes()))
    assert "What an import into “Shop” would do" in looked.content.decode()
    assert '<input type="hidden" name="import" value="1">' in looked.content.decode()  # a button's name is lost once it is disabled
    assert (Bot.objects.count(), Scenario.objects.count()) == (0, 0)
    done = page.post(IMPORT, {"text": looked.context["text"], "publish": "on", "note": "From the shelf", "bot": "", "import": "1"})
    assert "Imported into “Shop”" in done.content.decode()
    bot = Bot.objects.get()
    keys = set(Scenario.objects.filter(bot=bot, published__note="From the shelf").values_list("key", flat=True))
    assert keys == {part.key for part in botfile.read(FIXTURE).scenarios}
    assert AuditEntry.objects.filter(action="bots.bot.import", object_id=str(bot.pk)).count() == 1
    again = page.post(IMPORT, upload(FIXTURE.read_bytes()))
    assert {outcome for _label, _key, outcome in again.context["report"].rows} == {"matched"}


def test_an_export_can_be_imported_into_another_bot(page: Client, shop: World) -> None:
    response = page.get(exported(shop.bot))
    assert response["Content-Disposition"] == 'attachment; filename="shop.json"'
    other = Bot.objects.create(name="Second")
    looked = page.post(IMPORT, upload(response.content, bot=other.pk))
    page.post(IMPORT, {"text": looked.context["text"], "publish": "on", "note": "", "bot": other.pk, "import": "1"})
    assert set(other.scenarios.values_list("key", flat=True)) == set(shop.bot.scenarios.values_list("key", flat=True))
    assert Endpoint.objects.filter(bot=other).count() == Endpoint.objects.filter(bot=shop.bot).count()
    assert f'href="{exported(shop.bot)}"' in page.get(f"/admin/bots/bot/{shop.bot.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "Choose a file."),
        (b"{", "The body is not JSON"),
        (b'{"format": "other"}', "This is not a bot's file"),
        (b'{"format": "dialogbus.bot", "version": 1, "bot": {}}', "bot.name: Field required"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(page: Client, body: bytes, why: str) -> None:
    response = page.post(IMPORT, upload(body) if body else {"publish": "on", "text": ""})
    assert [str(problem).startswith(why) for problem in response.context["form"].non_field_errors()] == [True]
    assert Bot.objects.count() == 0


def test_a_scenario_with_errors_stops_the_import(page: Client) -> None:
    body = FIXTURE.read_bytes().replace(b'"next": "thanks"', b'"next": "nowhere"')
    broken = page.post(IMPORT, upload(body if body != FIXTURE.read_bytes() else body.replace(b'"ok": "confirmed"', b'"ok": "nowhere"')))
    assert any("nowhere" in problem for problem in broken.context["problems"])
    assert Bot.objects.count() == 0


def test_who_may_edit_one_bot_brings_in_nothing_that_reaches_others(signed_in: Callable[..., Client], shop: World, bank: World) -> None:
    browser = signed_in("integrator", bots=[shop.bot])
    response = browser.post(IMPORT, upload(FIXTURE.read_bytes(), bot=shop.bot.pk))
    assert response.context["problems"] == ["This file changes what you may not edit: Settings."]
    foreign = browser.post(IMPORT, upload(FIXTURE.read_bytes(), bot=bank.bot.pk))
    assert "bot" in foreign.context["form"].errors
    assert browser.get(exported(bank.bot)).status_code == 404
    assert browser.get(exported(shop.bot)).status_code == 200


def test_who_may_not_edit_sees_no_import(signed_in: Callable[..., Client], shop: World) -> None:
    assert signed_in("analyst").get(IMPORT).status_code == 403
    assert IMPORT not in signed_in("analyst").get("/admin/scenarios/scenario/").content.decode()
