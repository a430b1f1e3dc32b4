"""RapidPro's three-letter codes (ISO 639-3) as the two-letter ones that people of other messengers have."""

from collections import Counter
from collections.abc import Iterable

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.reading import at, obj, objects, rows, text

SHORT = {
    "eng": "en", "rus": "ru", "ukr": "uk", "uzb": "uz", "kaz": "kk", "spa": "es", "fra": "fr", "fre": "fr", "por": "pt", "deu": "de",
    "ger": "de", "ita": "it", "hin": "hi", "mar": "mr", "tam": "ta", "tel": "te", "kan": "kn", "ben": "bn", "guj": "gu", "pan": "pa",
    "mal": "ml", "ori": "or", "ory": "or", "asm": "as", "urd": "ur", "ara": "ar", "tur": "tr", "swa": "sw", "swh": "sw", "ind": "id",
    "msa": "ms", "fil": "tl", "tgl": "tl", "vie": "vi", "zho": "zh", "amh": "am", "som": "so", "hau": "ha", "yor": "yo", "zul": "zu",
    "xho": "xh", "afr": "af", "kin": "rw", "lug": "lg", "nya": "ny", "sna": "sn", "mya": "my", "khm": "km", "lao": "lo", "tha": "th",
    "nep": "ne", "sin": "si", "pol": "pl", "ron": "ro", "bul": "bg", "ell": "el", "heb": "he", "fas": "fa", "pus": "ps", "kir": "ky",
    "tgk": "tg", "aze": "az", "hye": "hy", "kat": "ka", "jpn": "ja", "kor": "ko", "nld": "nl",
}  # fmt: skip
UNDETERMINED = "und"
UNKNOWN = frozenset({"", "base", UNDETERMINED, "mul"})
# Glific writes a person's language by its name.
NAMED = {
    "english": "en", "hindi": "hi", "marathi": "mr", "tamil": "ta", "telugu": "te", "kannada": "kn", "bengali": "bn", "gujarati": "gu",
    "punjabi": "pa", "malayalam": "ml", "odia": "or", "oriya": "or", "assamese": "as", "urdu": "ur", "nepali": "ne", "spanish": "es",
    "french": "fr", "portuguese": "pt", "russian": "ru", "ukrainian": "uk", "uzbek": "uz", "arabic": "ar", "swahili": "sw",
}  # fmt: skip


def language(code: str) -> str:
    """The code as we write it; "en" for a file that names none."""
    low = code.strip().lower()
    low = NAMED.get(low, low)
    if low in UNKNOWN or not (2 <= len(low) <= 3 and low.isascii() and low.isalpha()):  # noqa: PLR2004
        return "en"
    return SHORT.get(low, low)


def names_none(flow: Json) -> bool:
    """Whether the flow does not say in which language its texts are."""
    return text(flow.get("language")).strip().lower() in UNKNOWN


def spoken(flows: Iterable[Json]) -> str:
    """The language of flows that name none: the one whose translations mostly say the same; else English, unless the translations have it."""
    same: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for flow in filter(names_none, flows):
        said = {text(one.get("uuid")): text(one.get("text")) for node in objects(flow.get("nodes")) for one in objects(node.get("actions"))}
        for code, found in obj(flow.get("localization")).items():
            translations = {
                uuid: text(given[0]) for uuid, words in said.items() if uuid and words and (given := rows(at(found, uuid, "text")))
            }
            others[language(code)] += len(translations)
            same[language(code)] += sum(words == said[uuid] for uuid, words in translations.items())
    nearest = next(iter(same.most_common(1)), ("", 0))
    if nearest[1] * 2 > others[nearest[0]]:
        return nearest[0]
    return UNDETERMINED if "en" in others else "en"
