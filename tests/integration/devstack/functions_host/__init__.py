"""The functions host, driving a small sample app through a real Azurite."""
