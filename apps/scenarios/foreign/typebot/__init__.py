"""Typebot: public files of version 6, and the older ones whose start is a block of a group."""
