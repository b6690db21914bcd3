"""Reads: decides, on the standard library's ``ast``, what in a file is to be changed. Never imports ``codemods``."""
