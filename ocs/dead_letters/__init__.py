"""Dead letters: messages that could not be taken in, kept whole with the reason, and driven again."""
