"""Secrets that a script was given never come out of it: not in results, logs, errors or what is shown of its calls."""

from dataclasses import replace
from typing import Any

from apps.scenarios.jail.outcome import Asked, Outcome

HIDDEN = "•••"
SHORTEST = 4  # a secret of fewer characters would tear harmless texts apart


def conceal(value: Any, secrets: tuple[str, ...]) -> Any:
    """`value` (JSON) with every occurrence of a secret replaced, keys included."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {conceal(key, secrets): conceal(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [conceal(item, secrets) for item in value]
    return value


def outcome_without(outcome: Outcome, secrets: tuple[str, ...]) -> Outcome:
    known = tuple(sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True))
    if not known:
        return outcome
    error = outcome.error
    return replace(
        outcome,
        value=conceal(outcome.value, known),
        logs=tuple(conceal(outcome.logs, known)),
        writes=tuple(conceal(outcome.writes, known)),
        asked=tuple(_asked(row, known) for row in outcome.asked),
        error=replace(error, text=conceal(error.text, known), message=conceal(error.message, known)) if error else None,
    )


def _asked(row: Asked, known: tuple[str, ...]) -> Asked:
    return replace(row, shown=conceal(row.shown, known), answer=conceal(row.answer, known), error=conceal(row.error, known))


def secrets_in(params: Any, shown: Any) -> tuple[str, ...]:
    """The texts that the masked copy of the parameters hides."""
    if isinstance(params, dict) and isinstance(shown, dict):
        return tuple(secret for key, value in params.items() for secret in secrets_in(value, shown.get(key)))
    if isinstance(params, list) and isinstance(shown, list):
        return tuple(secret for one, other in zip(params, shown, strict=False) for secret in secrets_in(one, other))
    return (params,) if isinstance(params, str) and params != shown else ()
