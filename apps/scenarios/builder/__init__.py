"""What the builder's page works with: descriptions of kinds, the draft, its problems, who else is here."""
