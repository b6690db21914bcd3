"""Code that is understood to be wrong, but not well enough to be mended."""

from __future__ import annotations


class Unclear(Exception):
    """Why a finding has no fix; the message is the end of the finding's own."""
