"""Azure's services behind small doors: identity, Key Vault and storage queues."""
