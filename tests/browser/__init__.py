"""The page in real Chromium, against a started service."""
