"""The doors over real HTTP."""
