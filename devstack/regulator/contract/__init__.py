"""The documented side of the stand-in: sign-in, the two reports, the four readings."""
