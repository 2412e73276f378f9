"""HTTP: the FastAPI app, the roles that routes state, and how errors become replies."""
