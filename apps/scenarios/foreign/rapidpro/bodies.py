"""The body of a webhook that RapidPro's editor writes, `@(json(object("contact", object("name", contact.name), …)))`, as an object of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign import liquid
from apps.scenarios.foreign.formulas import Call, FormulaError, Literal, Path, Tree
from apps.scenarios.foreign.rapidpro.texts import Used, name_of, pieces, tree_of


@dataclass
class Body:
    """`known`: what the flow itself is called, by the path that names it. `results`: results of the flow, under their names."""

    used: Used
    known: Mapping[tuple[str, ...], str]
    results: Mapping[str, Json]
    lost: list[str] = field(default_factory=list)

    def of(self, template: str) -> Any:
        """The object; None when the template is anything else than one. What has no counterpart is left out and added to `lost`."""
        found = [piece for piece in pieces(template.strip()) if piece.formula or piece.plain]
        if len(found) != 1 or not found[0].formula:
            return None
        try:
            tree = tree_of(found[0].formula, self.used)
        except FormulaError:
            return None
        match tree:
            case Call(name="json", arguments=(Call(name="object") as made,)):
                return self._object(made.arguments)
        return None

    def _object(self, given: Sequence[Tree]) -> Json:
        made: Json = {}
        for key, value in zip(given[::2], given[1::2], strict=False):
            if not isinstance(key, Literal) or not isinstance(key.value, str):
                self.lost.append("a part of the body whose name is calculated is left out")
                continue
            try:
                made[key.value] = self._value(value)
            except FormulaError as error:
                self.lost.append(f"“{key.value}” is left out of the body ({error})")
        return made

    def _value(self, tree: Tree) -> Any:
        match tree:
            case Call(name="object"):
                return self._object(tree.arguments)
            case Call(name="foreach_value", arguments=(Path(parts=("results",)), *_)):
                return dict(self.results)
            case Path() if tree.parts in self.known:
                return self.known[tree.parts]
            case Literal():
                return tree.value
        return f"{{{{ {liquid.output(tree, lambda parts: name_of(parts, self.used))} }}}}"
