"""Celery's part: beat asks every half minute whether the channels are connected."""

import structlog
from celery import shared_task

from apps.bots import connecting
from apps.bots.models import Channel
from apps.bots.registry import adapters

logger = structlog.get_logger(__name__)


@shared_task(name="bots.check_channels", expires=25)
def check_channels() -> int:
    """Check every active channel of every active bot; how many are not well."""
    rows = Channel.objects.filter(is_active=True, bot__is_active=True, kind__in=list(adapters))
    failing = sum(not health.ok for health in connecting.check_all(list(rows)))
    if failing:
        logger.warning("channels fail", failing=failing)
    return failing
