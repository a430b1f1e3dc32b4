"""Measurements of speed and cost: `make bench` (docs/promise.md, "Speed"). Nothing here is part of the product."""
