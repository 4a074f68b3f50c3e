"""The static site: the page with its models in the browser, in place of the service."""
