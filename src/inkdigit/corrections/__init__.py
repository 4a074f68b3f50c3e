"""Corrections: what people say a picture should have been read as, stored in SQLite or PostgreSQL. Off by default."""
