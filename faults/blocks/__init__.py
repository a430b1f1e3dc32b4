"""Blocks that only faults use; loaded through EXTRA_BLOCKS."""
