"""What importers share: reading of files that may hold anything, drawing of definitions, formulas of other systems."""
