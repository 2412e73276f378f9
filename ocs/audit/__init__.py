"""The audit: what staff did and which calls the regulator got, append-only and chained by hashes."""
