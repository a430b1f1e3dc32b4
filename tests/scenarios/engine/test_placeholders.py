"""Placeholders: values and types, escaping, filters, and everything that must not work."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.scenarios.engine.contract import Facts
from apps.scenarios.engine.described import FILTER_HELP
from apps.scenarios.engine.escaping import Target
from apps.scenarios.engine.names import Names
from apps.scenarios.engine.placeholders import ENVIRONMENT, TemplateError, compile_formula, compile_template, render

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
FACTS = Facts(
    person={"user_name": "Anna", "city": "Tashkent", "size": "XL"},
    constants={"shop": "Our shop", "nested": {"key": "value"}},
    settings={"crm_url": "https://crm.example.com", "token": "s3cr3t"},
    secret_settings=frozenset({"token"}),
    bot={"name": "Helper"},
    lead={"id": "TG-9072612"},
    channel={"kind": "telegram"},
    timezone="Asia/Tashkent",
)
VARIABLES: dict[str, Any] = {
    "amount": 3500,
    "price": 1234.5,
    "whole": 10.0,
    "flag": True,
    "none": None,
    "name": "An<na> & Co",
    "order": {"id": 9821, "items": [{"name": "A", "price": 1.5}, {"name": "B", "price": 2}], "first name": "x", "0": "zero"},
    "tags": ["a", "b"],
    "big": "a" * 60_000,
    "имя": "Анна",
    "city": "Samarkand",
    "day": "2026-05-31",
}


def names(**changes: Any) -> Names:
    return Names({**VARIABLES, **changes}, FACTS, now=NOW, language="en")


def text(source: str, *, target: Target = "", language: str = "en", **changes: Any) -> str:
    known = Names({**VARIABLES, **changes}, FACTS, now=NOW, language=language)
    return compile_template(source).text(known, target=target)


# --- names and values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello, {{ user_name }}!", "Hello, Anna!"),
        ("{{missing}}|{{ missing.deep.0 }}|{{ order.nothing }}", "||"),
        ("{{ order.items.0.name }}{{ order.items[1].price }}", "A2"),
        ("{{ order.items.last.name }} {{ order.items.size }} {{ tags.first }}", "B 2 a"),
        ("{{ order['first name'] }} {{ order.0 }}", "x zero"),
        ("{{ имя }}", "Анна"),
        ("{{ city }} {{ person.city }} {{ size }}", "Samarkand Tashkent XL"),
        ("{{ constants.shop }} {{ constants.nested.key }}", "Our shop value"),
        ("{{ bot.name }} {{ lead.id }} {{ channel.kind }} {{ language }}", "Helper TG-9072612 telegram en"),
        ("{{ now }} {{ today }}", "2026-05-20T17:00:00+05:00 2026-05-20"),
        ("{{ price }} {{ whole }} {{ flag }} {{ none }}", "1234.5 10 true "),
        ("{{ tags }} {{ order.items.0 }}", 'a, b {"name": "A", "price": 1.5}'),
        ("{{ instance_settings.crm_url }} {{ instance_settings.token }}", "https://crm.example.com •••"),
        ("{% if amount > 1000 %}big{% else %}small{% endif %}", "big"),
        ("{% for item in order.items %}{{ forloop.index }}{{ item.name }}{% endfor %}", "1A2B"),
        ("{% assign x = amount | plus: 1 %}{{ x }}", "3501"),
        ("{{ 'yes' if flag else 'no' }}", "yes"),
        ("{% raw %}{{ not }}{% endraw %}", "{{ not }}"),
        ("{% comment %}x{% endcomment %}y", "y"),
        ("no placeholders { } }}", "no placeholders { } }}"),
    ],
)
def test_texts(source: str, expected: str) -> None:
    assert text(source) == expected


def test_a_lone_placeholder_keeps_its_type() -> None:
    known = names()
    values = {
        source: compile_template(source).value(known)
        for source in ("{{ amount }}", "{{ flag }}", "{{none}}", "{{ tags }}", "{{ missing }}")
    }
    assert values == {"{{ amount }}": 3500, "{{ flag }}": True, "{{none}}": None, "{{ tags }}": ["a", "b"], "{{ missing }}": ""}
    assert compile_template("{{ order.items | map: 'price' }}").value(known) == [1.5, 2]
    assert compile_template("{{ amount | plus: 1 }}").value(known) == 3501
    assert compile_template("{{ (1..3) }}").value(known) == [1, 2, 3]
    assert compile_template(" {{ amount }}").value(known) == " 3500"


def test_values_are_copies() -> None:
    copy = compile_template("{{ order }}").value(names())
    copy["items"].append(1)
    assert len(VARIABLES["order"]["items"]) == 2


def test_nested_values_are_rendered_and_constants_stay() -> None:
    value = {"id": "{{ order.id }}", "list": ["{{ flag }}", 5, None, {"t": "x{{ amount }}"}], "{{ key }}": 1}
    assert render(value, names()) == {"id": 9821, "list": [True, 5, None, {"t": "x3500"}], "{{ key }}": 1}


def test_python_objects_are_out_of_reach() -> None:
    for path in ("__class__", "upper", "format", "__init__.__globals__", "items", "keys", "_mapping"):
        assert text(f"{{{{ user_name.{path} }}}}|{{{{ constants.{path} }}}}|{{{{ tags.{path} }}}}") == "||"


def test_formulas_and_their_names() -> None:
    formula = compile_formula("amount > 100 and (order.id == 9821 or not flag)")
    assert formula.test(names())
    assert sorted(formula.names()) == [("amount",), ("flag",), ("order", "id")]
    assert compile_formula("{{ tags contains 'a' }}").test(names())
    assert not compile_formula("missing").test(names())


def test_templates_tell_which_names_they_read() -> None:
    template = compile_template("{{ order.items[index].name }} {% for x in tags %}{{ x }}{{ other }}{% endfor %}")
    assert sorted(template.names()) == [("index",), ("order", "items", "*", "name"), ("other",), ("tags",)]


# --- escaping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("<b>{{ name }}</b>", "html", "<b>An&lt;na&gt; &amp; Co</b>"),
        ("{{ name | upcase }}", "html", "AN&lt;NA&gt; &amp; CO"),
        ("{{ name | escape }}", "html", "An&lt;na&gt; &amp; Co"),
        ("{% capture x %}<i>{{ name }}</i>{% endcapture %}{{ x }}", "html", "<i>An&lt;na&gt; &amp; Co</i>"),
        ("{% echo name %}", "html", "An&lt;na&gt; &amp; Co"),
        ("{{ instance_settings.crm_url }}/a?q={{ name }}", "url", "https://crm.example.com/a?q=An%3Cna%3E%20%26%20Co"),
        ("https://x.example/{{ instance_settings.crm_url }}", "url", "https://x.example/https%3A%2F%2Fcrm.example.com"),
        ("{{ name }}/x", "url", "An%3Cna%3E%20%26%20Co/x"),
        ("/q?a={{ name | url_encode }}", "url", "/q?a=An%3Cna%3E+%26+Co"),
        ("/{{ 'a/b c' | url_path }}", "url", "/a/b%20c"),
        ('{"n": "{{ name }}", "o": {{ order.id }}, "t": {{ tags }}}', "json", '{"n": "An<na> & Co", "o": 9821, "t": ["a", "b"]}'),
        ('{"n": {{ name | json }}}', "json", '{"n": "An<na> & Co"}'),
        ('{"q": "{{ quote }}"}', "json", '{"q": "a\\"b\\\\"}'),
    ],
)
def test_values_are_escaped_once_for_their_target(source: str, target: Target, expected: str) -> None:
    assert text(source, target=target, quote='a"b\\') == expected


def test_json_objects_are_not_escaped_twice() -> None:
    assert render({"q": "say {{ quote }}"}, names(quote='"'), target="json") == {"q": 'say "'}


def test_secrets_are_in_clear_only_when_revealed() -> None:
    template = compile_template("Bearer {{ instance_settings.token }}")
    assert template.text(names()) == "Bearer •••"
    assert template.text(names().revealed()) == "Bearer s3cr3t"


def test_variables_cannot_stand_in_front_of_settings_and_constants() -> None:
    assert (
        text("{{ instance_settings.crm_url }}{{ constants.shop }}", instance_settings={"crm_url": "evil"}, constants={})
        == "https://crm.example.comOur shop"
    )


# --- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("{{ amount | number }}", "en", "3,500"),
        ("{{ amount | number }}", "ru", "3\u00a0500"),
        ("{{ price | number: 2 }}", "en", "1,234.50"),
        ("{{ price | number }}", "ru", "1\u00a0234,5"),
        ("{{ '3 500,50' | number }}", "en", "3,500.5"),
        ("{{ 'abc' | number }}", "en", "abc"),
        ("{{ missing | number }}", "en", ""),
        ("{{ amount | money: '$' }}", "en", "$3,500"),
        ("{{ price | money: 'USD' }}", "en", "1,234.50\u00a0USD"),
        ("{{ price | money: '$' }}", "ru", "1\u00a0234,50\u00a0$"),
        ("{{ amount | money }}", "en", "3,500"),
        ("{{ day | date: '%d %B %Y' }}", "en", "31 May 2026"),
        ("{{ day | date: '%-d %B, %A' }}", "ru", "31 мая, воскресенье"),
        ("{{ '2026-05-20T12:00:00Z' | date: '%H:%M' }}", "en", "17:00"),
        ("{{ '2026-05-20T12:00:00Z' | date: '%H:%M %z', 'Europe/Berlin' }}", "en", "14:00 +0200"),
        ("{{ 1779278400 | date: '%F %R' }}", "en", "2026-05-20 17:00"),
        ("{{ now | date: '%d.%m.%Y %H:%M' }}", "en", "20.05.2026 17:00"),
        ("{{ 'nonsense' | date: '%d' }}", "en", "nonsense"),
        ("{{ day | date: '%Q%' }}", "en", "%Q%"),
        ("{{ day | shift: '3 days' }}", "en", "2026-06-03"),
        ("{{ now | shift: '-2 hours' | date: '%H:%M' }}", "en", "15:00"),
        ("{{ day | shift: 'nonsense' }}", "en", "2026-05-31"),
        ("{{ 1 | plural: 'day', 'days' }} {{ 5 | plural: 'day', 'days' }}", "en", "day days"),
        (
            "{{ 1 | plural: 'день', 'дня', 'дней' }} {{ 22 | plural: 'день', 'дня', 'дней' }} {{ 11 | plural: 'день', 'дня', 'дней' }}",
            "ru",
            "день дня дней",
        ),
        ("{{ '+998901234567' | phone }} {{ '+998901234567' | phone: 'masked' }}", "en", "+998 90 123 45 67 •••••••••••67"),
        ("{{ order | json }}", "en", json.dumps(VARIABLES["order"])),
        ("{{ 'a,b,a' | split: ',' | uniq | join: '+' }}", "en", "a+b"),
        ("{{ order.items | map: 'price' | sum }} {{ order.items | sum: 'price' }}", "en", "3.5 3.5"),
        ("{{ missing | default: 'friend' | upcase }}", "en", "FRIEND"),
        ("{{ '<b>x</b>' | strip_html }}", "en", "x"),
        ("{{ 10 | divided_by: 4.0 | round: 1 }}", "en", "2.5"),
    ],
)
def test_filters(source: str, language: str, expected: str) -> None:
    assert text(source, language=language) == expected


def test_every_filter_that_authors_are_told_of_exists() -> None:
    assert set(FILTER_HELP) - set(ENVIRONMENT.filters) == set()
    for example, _help in FILTER_HELP.values():
        compile_template(example)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("{{ a | nubmer }}", "There is no filter “nubmer”. Did you mean number?", (1, 8)),
        ("Hello\n{{ a b }}", "The placeholder is written wrongly: expected end of expression, found word.", (2, 6)),
        ("{% if %}", "The placeholder is written wrongly: missing expression.", (1, 4)),
        ("{% include 'x' %}", "The placeholder is written wrongly: unexpected tag 'include'.", (1, 4)),
        ("{% render 'x' %}", "The placeholder is written wrongly: unexpected tag 'render'.", (1, 4)),
        ("{{", "The placeholder is written wrongly: expected '}}', found end of file.", (1, 1)),
        (
            "x" * 16_385 + "{{ a }}",
            "The text with placeholders has 16392 characters; the limit is 16384. Split it into several blocks.",
            (0, 0),
        ),
    ],
)
def test_malformed_templates_tell_where(source: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(source)
    assert (caught.value.message, (caught.value.line, caught.value.column)) == (message, place)


BOMBS = {
    "join of a huge range": "{{ (1..100000000) | join }}",
    "chain of replace": "{% assign x = 'aaaaaaaaaa' %}"
    + "{% assign x = x | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}" * 8
    + "{{ x }}",
    "one replace of big by big": "{{ big | replace: 'a', big }}",
    "replace of nothing": "{{ big | replace: '', big }}",
    "append doubling": "{% assign x = big %}" + "{% assign x = x | append: x %}" * 30 + "{{ x }}",
    "concat doubling": "{% assign x = big | split: '' %}" + "{% assign x = x | concat: x %}" * 30 + "{{ x.size }}",
    "reversed range": "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "limited range": "{% for i in (1..1000000000) limit: 999999999 %}x{% endfor %}",
    "offset range": "{% for i in (1..100000000000000000000) offset: 99999999999999999999 %}x{% endfor %}",
    "nested loops": "{% for i in (1..5000) %}{% for j in (1..5000) %}x{% endfor %}{% endfor %}",
    "loops one after the other": "{% for i in (1..4000) %}{% endfor %}" * 300,
    "range contains a text": "{% assign r = (1..1000000000) %}{% if r contains 'a' %}{% endif %}",
    "formula over a range": "{% if (1..1000000000) contains 1.5 %}{% endif %}",
    "range in case": "{% case (1..1000000000) %}{% when 1 %}x{% endcase %}",
    "range in when": "{% case 'a' %}{% when (1..1000000000) %}x{% endcase %}",
    "range in a ternary": "{{ 1 if (1..1000000000) contains 'x' else 2 }}",
    "range in elsif": "{% if missing %}{% elsif (1..1000000000) contains 'x' %}{% endif %}",
    "range in a filter's argument": "{{ tags | concat: (1..1000000000) }}",
    "range in a tail filter": "{{ 2 if false else 3 | plus: (1..1000000000) }}",
    "range in liquid": "{% liquid for i in (1..1000000000) reversed\n echo i\nendfor %}",
    "range in cycle": "{% cycle (1..1000000000), 2 %}",
    "range of a range": "{{ (1..(1..1000000000)) }}",
    "big numbers": "{% assign x = 9 %}" + "{% assign x = x | times: x %}" * 60,
    "infinite number": "{{ '1e999999' | ceil }}{{ '1e999' | plus: 1 }}",
    "join by a long text": "{{ big | split: '' | join: big }}",
    "work in a loop": "{% for i in (1..5000) %}{{ big | upcase | size }}{% endfor %}",
    "comparisons in a loop": "{% for i in (1..5000) %}" + "{% if big contains 'zz' %}{% endif %}" * 300 + "{% endfor %}",
    "captures": "{% capture x %}{{ big }}{{ big }}{{ big }}{% endcapture %}" * 40,
    "many names": "{% for i in (1..4000) %}{% assign x = big | append: i %}{% endfor %}",
    "output": "{{ big }}" * 400,
    "deep brackets": "{{ " + "a[" * 3_000 + "1" + "]" * 3_000 + " }}",
    "deep parentheses": "{% if " + "(" * 3_000 + "1" + ")" * 3_000 + " %}{% endif %}",
    "long or": "{% if " + "a or " * 3_000 + "a %}{% endif %}",
    "deep tags": "{% if a %}" * 500 + "{% endif %}" * 500,
    "many decimals": "{{ price | number: 1000000000 }}",
    "base64 growth": "{{ big | base64_encode | base64_encode | base64_encode }}",
    "unclosed tags": "{{ '" + "<" * 8_000 + "' | strip_html }}{{ 1 | divided_by: 0 }}",
    "tablerow": "{% tablerow i in (1..1000000000) %}x{% endtablerow %}",
}


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_bombs_are_stopped_in_no_time(bomb: str) -> None:
    started = time.thread_time()
    with pytest.raises(TemplateError):
        compile_template(BOMBS[bomb]).text(names())
    assert time.thread_time() - started < 2  # unbounded they would take minutes


@pytest.mark.parametrize(
    "source",
    [
        "{{ day | date: '%999999999d' }}",
        "{{ now | shift: '999999999999 days' }}",
        "{{ 1 | round: 99999999 }}",
        "{{ 'x' | truncate: 99999999999 }}",
    ],
)
def test_odd_arguments_are_harmless(source: str) -> None:
    started = time.thread_time()
    text(source)
    assert time.thread_time() - started < 0.1


def test_errors_quote_no_values() -> None:
    with pytest.raises(TemplateError) as caught:
        text("{{ secretive | plus: other | divided_by: 0 }}", secretive="Anna's secret", other="another secret")
    assert "secret" not in caught.value.message


def test_the_cache_of_templates_is_bounded() -> None:
    assert compile_template.cache_info().maxsize == 4_096
    assert compile_formula.cache_info().maxsize == 4_096
