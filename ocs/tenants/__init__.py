"""Tenants (CROL), their stores (CRSA) and their connections to the Data Platform."""
