"""The engine's own texts for people (failures, findings of the check), in English at the source.

The engine knows no Django, so the application hands over its `gettext` once (`translate_with`, in `AppConfig.ready`); until then the texts
stay English. `_` is the name that `makemessages` looks for. Texts that are collected at import are marked by `gettext_noop`.
"""

from collections.abc import Callable


class _Translator:
    translate: Callable[[str], str] = staticmethod(str)


def translate_with(translate: Callable[[str], str]) -> None:
    """From now on the engine's texts go through `translate`, which is called at each use (the language may change per request)."""
    _Translator.translate = staticmethod(translate)


def _(message: str) -> str:
    return _Translator.translate(message)


def gettext_noop(message: str) -> str:
    """Mark a text for translation where it is declared; it is translated where it is shown."""
    return message
