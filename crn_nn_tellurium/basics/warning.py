"""Warnings that point at the user's line."""

from __future__ import annotations

import sys
import warnings

# functions that the standard library wraps are called by it, between two of ours
_PASSED_OVER = (__name__.partition(".")[0], "functools", "contextlib")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of what the first line outside of this package asked for, however deep inside."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED_OVER:
        frame = frame.f_back
    code, place = frame.f_code, frame.f_globals
    # the registry is that of the user's module, where filters count what was shown already
    seen = place.setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        message, category, code.co_filename, frame.f_lineno, place.get("__name__"), seen
    )
