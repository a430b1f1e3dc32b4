"""Kinds of outside calls that scenarios make beside HTTP requests."""
