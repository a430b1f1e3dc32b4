"""The two dialogues that are measured, as our own definitions."""

from typing import Any

Json = dict[str, Any]


def order() -> Json:
    """B1: three variables, one branch, one message that carries the request's number."""
    return definition(
        "Order",
        node("start", "start", next="large"),
        node(
            "large",
            "router",
            {"branches": [{"id": "yes", "when": {"variable": "amount", "operator": "gt", "value": 1000}}]},
            yes="vip",
            **{"else": "thanks"},
        ),
        node("vip", "message", {"text": "Thank you, {{ customer }}! Order #{{ order }} over {{ amount }} is packed by hand."}, next="end"),
        node("thanks", "message", {"text": "Thank you, {{ customer }}! Order #{{ order }} over {{ amount }} is on its way."}, next="end"),
        node("end", "end"),
    )


def survey() -> Json:
    """B2: a question whose answer is stored and said back with the next question, without end."""
    return definition(
        "Survey",
        node("start", "start", next="first"),
        node("first", "input", {"text": "Which number?", "kind": "text", "save_as": "answer"}, ok="again"),
        node("again", "input", {"text": "Noted: #{{ answer }}. And the next one?", "kind": "text", "save_as": "answer"}, ok="again"),
    )


def definition(name: str, *nodes: Json) -> Json:
    return {
        "schema_version": 1,
        "name": name,
        "default_language": "en",
        "languages": ["en"],
        "sections": [{"id": "main", "name": "Main", "nodes": list(nodes)}],
    }


def node(node_id: str, kind: str, params: Json | None = None, **exits: str) -> Json:
    return {"id": node_id, "kind": kind, "params": params or {}, "exits": exits}
