"""Scenario definitions for tests, small and whole."""

from typing import Any

Json = dict[str, Any]


def node(node_id: str, kind: str, params: Json | None = None, **exits: str) -> Json:
    return {"id": node_id, "kind": kind, "params": params or {}, "exits": exits}


def definition(*nodes: Json, name: str = "Test", triggers: list[Json] | None = None, **more: Any) -> Json:
    return {
        "schema_version": 1,
        "name": name,
        "default_language": "en",
        "languages": ["en"],
        "sections": [{"id": "main", "name": "Main", "nodes": list(nodes)}],
        "triggers": triggers or [],
        **more,
    }


def button(button_id: str, label: str) -> Json:
    return {"id": button_id, "label": label}


def thank_you(**more: Any) -> Json:
    """An order's thank-you with two buttons; a confirmation is told to the CRM."""
    return definition(
        node("start", "start", next="thanks"),
        node(
            "thanks",
            "message",
            {
                "text": "Thank you, {{ user_name }}! Amount {{ amount }}",
                "buttons": [[button("confirm", "Confirm"), button("later", "Later")]],
            },
            confirm="done",
            later="bye",
        ),
        node("done", "message", {"text": "Confirmed."}, next="end"),
        node("bye", "message", {"text": "As you like."}, next="end"),
        node("end", "end"),
        **more,
    )


def question(**more: Any) -> Json:
    """Asks for a number and says it back; a minute without an answer ends it."""
    return definition(
        node("start", "start", next="ask"),
        node(
            "ask",
            "input",
            {
                "text": "How many?",
                "kind": "number",
                "save_as": "count",
                "unrecognised_text": "A number, please.",
                "attempts": 2,
                "timeout": {"amount": 1, "unit": "minutes"},
            },
            ok="say",
            attempts="give_up",
            timeout="late",
        ),
        node("say", "message", {"text": "You said {{ count }}."}, next="end"),
        node("give_up", "message", {"text": "Never mind."}, next="end"),
        node("late", "message", {"text": "Too late."}, next="end"),
        node("end", "end"),
        **more,
    )


def says(text: str, **more: Any) -> Json:
    """Says one thing and ends."""
    return definition(node("start", "start", next="say"), node("say", "message", {"text": text}, next="end"), node("end", "end"), **more)
