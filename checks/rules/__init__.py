"""The rules, one module each: ``unguarded_cr_code.py`` decides for ``unguarded-cr-code``."""
