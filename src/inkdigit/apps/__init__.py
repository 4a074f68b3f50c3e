"""The doors: whatever takes bytes in and gives a prediction out over HTTP. None has a threshold of its own."""
