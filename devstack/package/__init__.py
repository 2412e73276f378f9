"""Builds the package that is deployed: the files that `.funcignore` lets through, as a zip that is always the same."""
