"""Find an event line, read why it waits, mend it: search, the one answer to "why", retry, correction, replay."""
