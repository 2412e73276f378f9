"""The database: the pool, named queries and the schema's version."""
