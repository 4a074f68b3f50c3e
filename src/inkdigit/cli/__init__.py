"""The `inkdigit` command: one module per group of verbs."""
