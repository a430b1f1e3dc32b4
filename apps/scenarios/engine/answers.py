"""What a customer's message is as an answer to a question: one reader per kind of question. None means: not recognised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.scenarios.engine.conditions import matches
from apps.scenarios.engine.contract import Json, Said
from apps.scenarios.engine.names import Names
from apps.scenarios.engine.params import Text
from apps.scenarios.engine.reading import read_date, read_email, read_number, read_phone


@dataclass(frozen=True)
class Asking:
    """What the question knows: `labels` of its choices by id, the country of phones, the order of dates, the pattern."""

    names: Names
    region: str = ""
    month_first: bool = False
    pattern: str = ""
    own_contact: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)


def _text(said: Said, _asking: Asking) -> Any:
    return said.text.strip() or None


def _number(said: Said, asking: Asking) -> Any:
    return read_number(said.text, language=asking.names.language)


def _date(said: Said, asking: Asking) -> Any:
    found = read_date(said.text, today=asking.names.local_now.date(), month_first=asking.month_first)
    return found.isoformat() if found else None


def _phone(said: Said, asking: Asking) -> Any:
    shared = _shared_contact(said, asking)
    return read_phone(shared["phone"] if shared else said.text, region=asking.region)


def _shared_contact(said: Said, asking: Asking) -> Json | None:
    """A shared contact counts only when the messenger proves that it is the sender's own, unless the question takes others' too."""
    contact = said.contact
    if not contact or not contact.get("phone") or (asking.own_contact and not contact.get("own")):
        return None
    return contact


def _contact(said: Said, asking: Asking) -> Any:
    shared = _shared_contact(said, asking)
    if shared is None:
        return None
    phone = read_phone(shared["phone"], region=asking.region) or shared["phone"]
    return {"phone": phone, "name": shared.get("name", ""), "own": bool(shared.get("own"))}


def _email(said: Said, _asking: Asking) -> Any:
    return read_email(said.text)


def _location(said: Said, _asking: Asking) -> Any:
    return dict(said.location) if said.location else None


def _media(*kinds: str) -> Callable[[Said, Asking], Any]:
    def read(said: Said, _asking: Asking) -> Any:
        found = [dict(item) for item in said.media if not kinds or item.get("kind") in kinds]
        if not found:
            return None
        value: Json = {**found[0], "caption": said.text}
        return {**value, "others": found[1:]} if len(found) > 1 else value

    return read


def _regex(said: Said, asking: Asking) -> Any:
    text = said.text.strip()
    return text if text and matches(text, asking.pattern) else None


READERS: dict[str, Callable[[Said, Asking], Any]] = {
    "text": _text,
    "number": _number,
    "date": _date,
    "phone": _phone,
    "email": _email,
    "contact": _contact,
    "location": _location,
    "photo": _media("image", "photo"),
    "file": _media("file", "image", "photo", "video", "audio", "document"),
    "voice": _media("voice", "audio"),
    "regex": _regex,
}

HINTS: dict[str, Text] = {
    kind: Text(texts)
    for kind, texts in {
        "text": {"en": "Please answer with a text.", "ru": "Пожалуйста, ответьте текстом.", "uk": "Будь ласка, відповідайте текстом.", "uz": "Iltimos, matn bilan javob bering."},
        "choice": {"en": "Please choose one of the answers.", "ru": "Пожалуйста, выберите один из ответов.", "uk": "Будь ласка, оберіть одну з відповідей.", "uz": "Iltimos, javoblardan birini tanlang."},
        "number": {"en": "Please send a number, such as 3500.", "ru": "Пожалуйста, отправьте число, например 3500.", "uk": "Будь ласка, надішліть число, наприклад 3500.", "uz": "Iltimos, son yuboring, masalan 3500."},
        "date": {"en": "Please send a date, such as 31.05.2026.", "ru": "Пожалуйста, отправьте дату, например 31.05.2026.", "uk": "Будь ласка, надішліть дату, наприклад 31.05.2026.", "uz": "Iltimos, sana yuboring, masalan 31.05.2026."},
        "phone": {"en": "Please send a phone number with its country code.", "ru": "Пожалуйста, отправьте номер телефона с кодом страны.", "uk": "Будь ласка, надішліть номер телефону з кодом країни.", "uz": "Iltimos, telefon raqamini davlat kodi bilan yuboring."},
        "email": {"en": "Please send an e-mail address.", "ru": "Пожалуйста, отправьте адрес электронной почты.", "uk": "Будь ласка, надішліть адресу електронної пошти.", "uz": "Iltimos, elektron pochta manzilini yuboring."},
        "contact": {"en": "Please share your own contact with the button below.", "ru": "Пожалуйста, поделитесь своим контактом кнопкой ниже.", "uk": "Будь ласка, поділіться своїм контактом кнопкою нижче.", "uz": "Iltimos, quyidagi tugma orqali o‘z kontaktingizni yuboring."},
        "location": {"en": "Please send your location.", "ru": "Пожалуйста, отправьте геопозицию.", "uk": "Будь ласка, надішліть геопозицію.", "uz": "Iltimos, joylashuvingizni yuboring."},
        "photo": {"en": "Please send a photo.", "ru": "Пожалуйста, отправьте фото.", "uk": "Будь ласка, надішліть фото.", "uz": "Iltimos, surat yuboring."},
        "file": {"en": "Please send a file.", "ru": "Пожалуйста, отправьте файл.", "uk": "Будь ласка, надішліть файл.", "uz": "Iltimos, fayl yuboring."},
        "voice": {"en": "Please send a voice message.", "ru": "Пожалуйста, отправьте голосовое сообщение.", "uk": "Будь ласка, надішліть голосове повідомлення.", "uz": "Iltimos, ovozli xabar yuboring."},
        "regex": {"en": "This does not look right. Please check and send it again.", "ru": "Похоже, здесь ошибка. Проверьте и отправьте ещё раз.", "uk": "Схоже, тут помилка. Перевірте й надішліть ще раз.", "uz": "Xato borga o‘xshaydi. Tekshirib, qayta yuboring."},
    }.items()
}  # fmt: skip
