"""Taking on retailers, and everything about them that staff set: credentials, connections, stores, pauses, people."""
