"""Findings in what authors wrote: unknown names, missing translations, secrets."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from apps.scenarios.block import Finding
from apps.scenarios.engine.flow import Flow, FlowNode
from apps.scenarios.engine.names import PROTECTED, WORLD
from apps.scenarios.engine.params import Expression, Marked, Text, compiled_in, marked_in
from apps.scenarios.engine.placeholders import TemplateError
from apps.scenarios.engine.plain import strings_in
from apps.scenarios.engine.wording import _

# Set by the engine or the shell whatever the scenario holds; `value` is what a question's condition looks at.
ALWAYS_KNOWN = frozenset({*WORLD, "user_input", "error", "deep_link", "event", "value"})
USER_PREFIX = "user_"
LITERAL = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
SECRETS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b\d{6,12}:[A-Za-z0-9_-]{30,}",
        r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}",
        r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{16,}",
        r"(?i)\bbasic\s+[A-Za-z0-9+/]{16,}={0,2}",
        r"\bAKIA[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{30,}",
        r"\bxox[baprs]-[A-Za-z0-9-]{10,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY",
        r"(?i)[?&](?:api_?key|access_token|token|secret)=[A-Za-z0-9._-]{8,}",
    )
)
SECRET_KEY = re.compile(
    r"(?i)(?:^|[._-])(?:authorization|password|passwd|secret|api_?key|x-api-key|access_?token|auth_?token|private_?key)$"
)
SECRET_VALUE_CHARS = 8


class KnownNames:
    """Every name that something sets or that the world has; `anything` when an action may set names that only the run tells."""

    def __init__(self, flow: Flow, known_names: Iterable[str]) -> None:
        given = list(known_names)
        sets = {name for node in flow.nodes.values() for name in node.block.sets(node.params, flow.scope)}
        params = {param.name for section in flow.definition.sections for param in section.params}
        self.anything = "*" in sets
        self.roots = {*sets, *params, *ALWAYS_KNOWN, *(name.split(".", maxsplit=1)[0] for name in given)}
        self.inner = {
            root: {name.removeprefix(f"{root}.") for name in (*given, *sets) if name.startswith(f"{root}.")} for root in PROTECTED
        }
        self._advised: dict[str, str] = {}

    def problem(self, path: Sequence[str]) -> str:
        """What to do about a path that nothing sets; "" when it is known or may be."""
        root = path[0]
        if root in PROTECTED:
            inside = self.inner[root]
            if len(path) == 1 or not inside or path[1] in inside or path[1] == "*":
                return ""
            return self._advice(f"{root}.{path[1]}", [f"{root}.{name}" for name in inside])
        if self.anything or root in self.roots or root.startswith(USER_PREFIX):
            return ""
        return self._advice(root, self.roots)

    def _advice(self, name: str, known: Iterable[str]) -> str:
        """Looked for once: a scenario that misses a name often misses it in many texts."""
        if name not in self._advised:
            self._advised[name] = self._best_advice(name, known)
        return self._advised[name]

    def _best_advice(self, name: str, known: Iterable[str]) -> str:
        close = get_close_matches(name, list(known), n=1, cutoff=0.75)
        if close:
            return _("Nothing sets “%(name)s”. Did you mean “%(close)s”?") % {"name": name, "close": close[0]}
        return _("Nothing sets “%(name)s”. Set it in a block before, or declare it as a parameter of the section.") % {"name": name}


def text_findings(flow: Flow, node: FlowNode, known: KnownNames) -> Iterator[Finding]:
    """Everything about the texts of one node."""
    for path, marked in marked_in(node.params):
        yield from _unknown_names(path, marked, known)
        if isinstance(marked, Text):
            yield from translation_findings(path, marked, flow.definition.all_languages)
            yield from _foreign(path, marked, flow.definition.all_languages)
        yield from _secrets(path, marked, shown=path.split(".", maxsplit=1)[0] not in node.block.reveals)


def _unknown_names(path: str, marked: Marked, known: KnownNames) -> Iterator[Finding]:
    try:
        templates = list(compiled_in(marked, path))
    except TemplateError:
        return
    told: set[str] = set()
    for inner, template in templates:
        for names in template.names():
            message = known.problem(names)
            if message and message not in told:
                told.add(message)
                yield Finding(inner, "unknown_name", message, level="warning")


def translation_findings(path: str, text: Text, languages: Sequence[str]) -> Iterator[Finding]:
    """Languages of the scenario that a text does not have. A text without letters of its own needs no translation."""
    texts = dict(text.texts())
    if len(languages) > 1 and any(_has_words(words) for words in texts.values()):
        present = {languages[0]} if "" in texts else {code for code, words in texts.items() if words.strip()}
        missing = [code for code in languages if code not in present and code.split("-", maxsplit=1)[0] not in present]
        if missing:
            message = _("No translation into %(languages)s. Add it, or people of that language see another one.")
            yield Finding(path, "translation", message % {"languages": ", ".join(missing)}, level="warning")


def _foreign(path: str, text: Text, languages: Sequence[str]) -> Iterator[Finding]:
    extra = [code for code, _words in text.texts() if code and code not in languages]
    if extra:
        message = _("%(languages)s is not among the scenario's languages. Add it there or remove the text.")
        yield Finding(path, "translation", message % {"languages": ", ".join(extra)}, level="warning")


def _has_words(text: str) -> bool:
    return any(char.isalpha() for char in LITERAL.sub("", text))


def _secrets(path: str, marked: Marked, *, shown: bool) -> Iterator[Finding]:
    for inner, text in strings_in(marked.root, path):
        literal = LITERAL.sub("", text)
        if any(pattern.search(literal) for pattern in SECRETS):
            message = _("This looks like a secret. Move it to the instance settings and write {{ instance_settings.name }} here.")
            yield Finding(inner, "secret", message)
        elif SECRET_KEY.search(inner) and len(literal.strip()) >= SECRET_VALUE_CHARS and literal == text:
            message = _("A password or key should not be written here. Move it to the instance settings: {{ instance_settings.name }}.")
            yield Finding(inner, "secret", message, level="warning")
    if shown and not isinstance(marked, Expression) and any("instance_settings" in text for _path, text in strings_in(marked.root)):
        message = _(
            "Secret instance settings are shown as ••• here; they work in the parameters of actions only. Use a constant for what people may see."
        )
        yield Finding(path, "secret_shown", message, level="warning")
