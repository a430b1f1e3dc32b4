"""A further folder of messengers, named to the product by EXTRA_CHANNELS for the length of a measurement."""
