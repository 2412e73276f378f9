"""The folder of a functions app; the host puts it first on the path, nothing imports it as a package."""
