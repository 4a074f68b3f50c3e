"""The HTTP service and the page that it serves. No route has a threshold of its own."""
