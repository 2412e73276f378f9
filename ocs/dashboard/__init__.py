"""The page of staff: how things stand, why something is not there yet, and the buttons that mend it."""
