"""Questions to the database whether there is anything to sweep (`apps.core.looking`)."""

SCHEDULES = """
    EXISTS (
        SELECT 1 FROM scenarios_schedule JOIN scenarios_scenario ON scenarios_scenario.id = scenarios_schedule.scenario_id
        WHERE scenarios_schedule.next_at <= clock_timestamp() AND scenarios_scenario.is_active AND scenarios_scenario.published_id IS NOT NULL
    )
"""
PUBLICATIONS = "EXISTS (SELECT 1 FROM scenarios_plannedpublication WHERE state = 'planned' AND due_at <= clock_timestamp())"
