"""Model files: read the header, translate names, load strictly, write."""
