"""The static site: the page, and in place of the service its models in the browser. Needs neither `serve` nor a server."""
