"""What starts, checks and rehearses the product: plain Python beside it, never imported by it."""
