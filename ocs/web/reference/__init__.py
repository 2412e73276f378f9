"""The description of all routes: an OpenAPI 3.1 document, and the same as a page for people."""
