"""What a shipping notice says, read out of the regulator's words: pure, no database, no clock."""
