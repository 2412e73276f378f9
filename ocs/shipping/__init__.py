"""Shipping notices (ASN): what OCS shipped to a store is read, shown, received once, and followed until it agrees."""
