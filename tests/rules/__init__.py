"""The house rules of docs/architecture.md, each kept by a test."""
