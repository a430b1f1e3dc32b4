"""The scenarios that the driver's people talk to. Every accepted message has exactly one reply, and the reply tells which one it was:
`<how many answers came before>:<the words>`. So a lost, doubled or misplaced update shows in what the messenger got.
"""

from typing import Any

Json = dict[str, Any]
ANY_MESSAGE = [{"kind": "any_message"}]


def node(name: str, kind: str, params: Json | None = None, **exits: str) -> Json:
    return {"id": name, "kind": kind, "params": params or {}, "exits": exits}


def scenario(*nodes: Json, triggers: list[Json] | None = None, params: list[Json] | None = None, **more: Any) -> Json:
    section = {"id": "main", "name": "Main", "params": params or [], "nodes": [node("start", "start", next=nodes[0]["id"]), *nodes]}
    return {"schema_version": 1, "name": "Faults", "default_language": "en", "sections": [section], "triggers": triggers or [], **more}


COUNT = node("count", "set_variable", {"variables": [{"name": "n", "value": "{{ n | plus: 1 }}"}]})
COUNTER = [{"name": "n", "type": "number", "default": 0}]


def counting(follows: str) -> Json:
    return {**COUNT, "exits": {"next": follows}}


def question(text: str = "{{ n }}:{{ user_input }}", **params: Any) -> Json:
    return node("ask", "input", {"text": text, "save_as": "answer", "attempts": 0, **params}, ok="count")


def talk() -> Json:
    """Says back every message with its number, for ever."""
    return scenario(question(), counting("ask"), triggers=ANY_MESSAGE, params=COUNTER)


def buttons() -> Json:
    """Each question has two buttons; the reply tells which was pressed."""
    choices = [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]
    ask = node(
        "ask",
        "input",
        {"text": "{{ n }}:{{ user_input }}", "kind": "choice", "save_as": "answer", "attempts": 0, "choices": choices},
        ok="count",
    )
    return scenario({**ask, "exits": {"ok": "count", "yes": "count", "no": "count"}}, counting("ask"), triggers=ANY_MESSAGE, params=COUNTER)


def ordering(crm_url: str, **request: Any) -> Json:
    """Each answer is told to the CRM before it is said back with the CRM's status."""
    call = {
        "method": "POST",
        "url": crm_url + "/effects/{{ lead.chat_id }}/{{ n }}",
        "headers": {"Authorization": "Bearer {{ instance_settings.crm_token }}"},
        "body": {"chat": "{{ lead.chat_id }}", "n": "{{ n }}", "said": "{{ user_input }}"},
        "retries": 5,
        "backoff_seconds": 0.2,
        **request,
    }
    failures = dict.fromkeys(("client_error", "server_error", "timeout", "refused"), "ask")
    act = node("tell", "action", {"action": "action_send_request", "params": call}, ok="ask", **failures)
    return scenario(
        node("init", "set_variable", {"variables": [{"name": "request_status", "value": 0}]}, next="ask"),
        question("{{ n }}:{{ user_input }}:{{ request_status }}"),
        counting("tell"),
        act,
        triggers=ANY_MESSAGE,
        params=COUNTER,
    )


def notifying() -> Json:
    """What an endpoint starts: says its number and ends."""
    return scenario(node("say", "message", {"text": "event:{{ number }}"}, next="end"), node("end", "end"), params=[{"name": "number"}])


def reminding(seconds: float) -> Json:
    """Says back, and once more after a while: one timer each message."""
    return scenario(
        node("first", "message", {"text": "0:{{ user_input }}"}, next="wait"),
        node("wait", "delay", {"amount": seconds, "unit": "seconds"}, next="late"),
        node("late", "message", {"text": "late:{{ user_input }}"}, next="end"),
        node("end", "end"),
        triggers=ANY_MESSAGE,
    )


def poisoned(harm: str, seconds: float = 1.0) -> Json:
    """Harm for whoever writes."""
    return scenario(
        node("harm", "poison", {"harm": harm, "seconds": seconds}, next="say"),
        node("say", "message", {"text": "0:{{ user_input }}"}, next="end"),
        node("end", "end"),
        triggers=ANY_MESSAGE,
    )
