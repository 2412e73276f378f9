"""What is looked after every few seconds, whatever woke nobody: two timers for all rooms."""
