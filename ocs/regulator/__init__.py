"""The OCS Data Platform as a client sees it: its six calls, its words, its sign-in and its faults."""
