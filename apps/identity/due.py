"""Questions to the database whether there is anything to sweep (`apps.core.looking`)."""

CODES = "EXISTS (SELECT 1 FROM identity_proofcode WHERE state = 'pending' AND expires_at > clock_timestamp())"
