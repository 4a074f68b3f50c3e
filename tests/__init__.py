"""The tests, in the order of the package's files."""
