"""The views of the page: each a router of its own, with the templates that carry its name."""
