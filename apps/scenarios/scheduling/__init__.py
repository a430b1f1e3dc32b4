"""Scenarios that start by the clock: at set times, and around dates of people. The row is the plan; the beat only looks at it."""
