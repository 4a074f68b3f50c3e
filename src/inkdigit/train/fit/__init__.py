"""The training loop, its losses, and running it in several processes."""
