"""What receiving a shipment comes to: decided and written as POS transactions; pure, no database, no clock."""
