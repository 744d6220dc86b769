"""The machinery, written once. It names no kind of record."""
