"""Writes: mends what the checks decided, on LibCST nodes, byte for byte outside the edit."""
