"""Words of the languages that people answer in: English, Russian, Ukrainian, Uzbek (Latin and Cyrillic)."""

# Genitive for languages that decline ("5 мая"), as dates are written in a sentence.
MONTHS: dict[str, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "ru": ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"),
    "uk": ("січня", "лютого", "березня", "квітня", "травня", "червня", "липня", "серпня", "вересня", "жовтня", "листопада", "грудня"),
    "uz": ("yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avgust", "sentabr", "oktabr", "noyabr", "dekabr"),
}
WEEKDAYS: dict[str, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
    "uk": ("понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя"),
    "uz": ("dushanba", "seshanba", "chorshanba", "payshanba", "juma", "shanba", "yakshanba"),
}
# First letters by which a typed month is known; the shortest that tells it from every other one of the four languages.
MONTH_STEMS: dict[str, int] = {
    stem: number
    for number, stems in enumerate(
        (
            ("jan", "янв", "січ", "yan"),
            ("feb", "фев", "лют", "fev"),
            ("mar", "мар", "бер"),
            ("apr", "апр", "кві"),
            ("may", "мая", "май", "тра"),
            ("jun", "июн", "чер", "iyun", "июн"),
            ("jul", "июл", "лип", "iyul"),
            ("aug", "авг", "сер", "avg"),
            ("sep", "сен", "вер", "sen"),
            ("oct", "окт", "жов", "okt"),
            ("nov", "ноя", "noy"),
            ("dec", "дек", "гру", "dek"),
        ),
        start=1,
    )
    for stem in stems
} | {"лист": 11, "нояб": 11}
RELATIVE_DAYS: dict[str, int] = {
    "today": 0, "tomorrow": 1, "yesterday": -1,
    "сегодня": 0, "завтра": 1, "послезавтра": 2, "вчера": -1,
    "сьогодні": 0, "післязавтра": 2, "вчора": -1, "учора": -1,
    "bugun": 0, "ertaga": 1, "indinga": 2, "kecha": -1,
    "бугун": 0, "эртага": 1, "кеча": -1,
}  # fmt: skip
_YES = (
    "yes y yeah yep yup ok okay sure true 1 + agree agreed confirm "
    "да д ага угу конечно ок окей хорошо ладно верно согласен согласна подтверждаю "
    "так т авжеж звісно добре гаразд згоден згодна "
    "ha xa ҳа ха albatta mayli xop xo'p bo'ladi boladi майли хоп 👍 ✅"
)
YES = frozenset(_YES.split())
_NO = "no n nope nah not false 0 - нет н не неа никогда ні нi yo'q yoq йўқ йук 👎 ❌"
NO = frozenset(_NO.split())


def language_of(code: str, table: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The row of the table for `ru`, `ru-RU` and the like; English for a language that the table has not."""
    return table.get(code.split("-", maxsplit=1)[0].lower(), table["en"])
