"""The tests; ``tests/rules`` mirrors ``checks/rules``."""
