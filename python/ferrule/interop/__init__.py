"""Other libraries' objects: the only room that imports optional packages."""
