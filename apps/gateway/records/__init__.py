"""Records of the models that business users make, for outside systems: `/api/v1/data/<model>/…`."""
