"""Names of variables, keys and ids for what other systems name freely."""

import re
import unicodedata

from apps.scenarios.engine.names import WORLD

RESERVED = WORLD | {"value", "event", "error", "deep_link", "user_input"}
LONGEST = 60
_LETTERS = "абвгґдеёєжзиіїйклмнопрстуфхцчшщыэюя"
_WRITTEN = [
    "a",
    "b",
    "v",
    "g",
    "g",
    "d",
    "e",
    "e",
    "ye",
    "zh",
    "z",
    "i",
    "i",
    "yi",
    "y",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "r",
    "s",
    "t",
    "u",
    "f",
    "kh",
    "ts",
    "ch",
    "sh",
    "shch",
    "y",
    "e",
    "yu",
    "ya",
]
_CYRILLIC = {**dict(zip(_LETTERS, _WRITTEN, strict=True)), "ь": "", "ъ": ""}


def slug(name: str, *, sign: str = "_", empty: str = "x") -> str:
    """Latin letters, digits and `sign`: "Имя клиента" → imya_klienta. Never empty, never longer than 60 characters."""
    latin = "".join(_CYRILLIC.get(char, char) for char in name.casefold())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", sign, plain).strip(sign)[:LONGEST].strip(sign)
    return found or empty


def variable(name: str) -> str:
    """A name that a variable may have."""
    found = slug(name)
    if not found[0].isalpha():
        found = f"v_{found}"[:LONGEST]
    return f"{found}_" if found in RESERVED else found


def category_of(name: str) -> str:
    """The variable that holds the category of the result that is kept in `name`; no longer than a name may be."""
    return f"{name[:54]}_category"


class Distinct:
    """Gives each name once: a second "menu" becomes "menu-2"."""

    def __init__(self, sign: str = "-") -> None:
        self._given: set[str] = set()
        self._sign = sign

    def __call__(self, wanted: str) -> str:
        found, number = wanted, 1
        while found in self._given:
            number += 1
            found = f"{wanted}{self._sign}{number}"
        self._given.add(found)
        return found
