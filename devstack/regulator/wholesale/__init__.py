"""What OCS publishes and ships: the item catalogue and the shipments, with made-up content."""
