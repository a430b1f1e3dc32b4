"""Logs: one JSON object a line in production, readable lines in development; the trace id in each, secrets in none."""

from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from apps.core.masking import mask
from apps.core.trace import META_KEY, known_trace_id


def add_trace_id(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Puts the present chain's id into the line; Django logs a request's status when its chain has ended, but names the request."""
    trace_id = known_trace_id()
    if not trace_id:
        request = getattr(event_dict.get("_record"), "request", None)
        trace_id = getattr(request, "META", {}).get(META_KEY, "")
    if trace_id:
        event_dict.setdefault("trace_id", trace_id)
    return event_dict


_PLUMBING = ("_record", "_from_structlog")


def mask_secrets(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Masks every value of the line, exceptions included; runs last before rendering."""
    kept = {key: event_dict[key] for key in _PLUMBING if key in event_dict}
    masked = mask({key: value for key, value in event_dict.items() if key not in kept})
    return {**masked, **kept}


def _before_rendering() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace_id,
        structlog.processors.StackInfoRenderer(),
    ]


def _renderers(*, json_lines: bool) -> list[Processor]:
    if json_lines:
        return [
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    return [
        structlog.processors.format_exc_info,
        mask_secrets,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(colors=False),
    ]


def configure() -> None:
    """Makes `structlog.get_logger()` write through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_before_rendering(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(*, json_lines: bool, level: str = "INFO") -> dict[str, Any]:
    """The value of `settings.LOGGING`; also configures structlog, so that both ways of logging give the same lines."""
    configure()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "foreign_pre_chain": [*_before_rendering(), structlog.stdlib.ExtraAdder()],
                "processors": _renderers(json_lines=json_lines),
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level},
            "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
            # Their lines at INFO hold whole addresses with tokens, one line for each request, or four for each sign-in.
            **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "aiohttp.access", "telegram", "asyncio", "axes")},
            # Two lines for each sweep of each second.
            **{name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace")},
        },
    }
