"""The translators' page: the table, files out and in, and who may."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.scenarios.languages import texts
from apps.scenarios.languages.exchange import formats
from tests.admin.conftest import told
from tests.admin.world import World

pytestmark = pytest.mark.django_db


def address(shop: World, what: str = "") -> str:
    return f"/admin/scenarios/scenario/{shop.scenario.pk}/languages/{what}"


def russian(shop: World) -> dict[str, str]:
    shop.scenario.refresh_from_db()
    return {line.key: line.texts["ru"] for line in texts.lines(shop.scenario.draft) if "ru" in line.texts}


def test_the_table_is_filled_and_saved(page: Client, shop: World) -> None:
    text = page.get(address(shop, "?to=ru")).content.decode()
    assert 'name="now|done/text"' in text
    assert "<script>" not in text
    data = {"to": "ru", "was|done/text": "", "now|done/text": "Готово\r\nсовсем", "was|bye/text": "", "now|bye/text": ""}
    assert told(page.post(address(shop), data, follow=True)) == ["One text is stored in the draft."]
    assert russian(shop) == {"done/text": "Готово\nсовсем"}
    only_missing = page.get(address(shop, "?to=ru&missing=1")).content.decode()
    assert ('name="now|done/text"' in only_missing, 'name="now|bye/text"' in only_missing) == (False, True)
    assert "20 %" in only_missing


@pytest.mark.parametrize("kind", sorted(formats))
def test_a_file_goes_out_to_a_translator_and_comes_back(page: Client, shop: World, kind: str) -> None:
    out = page.get(address(shop, f"export/?format={kind}&to=ru"))
    assert out["Content-Disposition"] == f'attachment; filename="thank-you-en-ru.{kind}"'
    loaded = formats[kind].load(out.content)
    translated = [texts.Line(key, "", {"en": given["en"], "ru": f"Перевод {key}"}) for key, given in loaded.texts]
    from apps.scenarios.languages.exchange import Sheet  # noqa: PLC0415  beside its one use

    file = SimpleUploadedFile(
        f"texts.{kind}", formats[kind].dump(Sheet("", "en", ["ru"], [*translated, texts.Line("gone/text", "", {"en": "a", "ru": "б"})]))
    )
    assert told(page.post(address(shop), {"file": file}, follow=True)) == [
        "5 texts are stored in the draft.", "1 texts of the file do not exist in the draft any more: gone/text",
    ]  # fmt: skip
    assert russian(shop) == {key: f"Перевод {key}" for key, _given in loaded.texts}


def test_wrong_files_and_addresses_are_no_errors(page: Client, shop: World) -> None:
    assert "Choose a file" in told(page.post(address(shop), {"file": SimpleUploadedFile("texts.exe", b"x")}, follow=True))[0]
    assert "damaged" in told(page.post(address(shop), {"file": SimpleUploadedFile("texts.xlsx", b"x")}, follow=True))[0]
    for wrong in ("?to=%00", "?to=nonsense%20code", "?p=x", "?p=-1"):
        assert page.get(address(shop, wrong)).status_code == 200
    for wrong in ("export/", "export/?format=exe", "export/?format=po", "export/?format=csv&to=%3Cx%3E"):
        assert page.get(address(shop, wrong)).status_code == 404
    assert page.post(address(shop), {"to": "?"}).status_code == 404


def test_who_may_only_look_cannot_save(signed_in: Callable[..., Client], shop: World, bank: World) -> None:
    browser = signed_in("analyst", bots=[shop.bot])
    assert "<textarea" not in browser.get(address(shop, "?to=ru")).content.decode()
    browser.post(address(shop), {"to": "ru", "was|done/text": "", "now|done/text": "Готово"})
    assert russian(shop) == {}
    assert browser.get(address(bank)).status_code == 404
