"""Settings: one table, from which everything else about them comes."""
