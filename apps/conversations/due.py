"""Questions to the database whether there is anything to sweep (`apps.core.looking`)."""

SWEEP = """
    EXISTS (SELECT 1 FROM conversations_timer WHERE due_at <= clock_timestamp())
    OR EXISTS (SELECT 1 FROM conversations_call WHERE state = 'waiting' AND due_at <= clock_timestamp())
    OR EXISTS (SELECT 1 FROM conversations_lane WHERE wake_at <= clock_timestamp())
"""

# For so long that whoever should have swept has not.
OVERDUE = SWEEP.replace("clock_timestamp()", "clock_timestamp() - make_interval(secs => %(silence)s)")
