"""POST …:streamGenerateContent of Google: what `generate_content` answers, in chunks."""

from __future__ import annotations

from flywheel_log.standin.surfaces.generate_content import METHOD, REQUIRED, answer, model_of, own_error

__all__ = ["METHOD", "PATH", "REQUIRED", "answer", "model_of", "own_error"]

PATH = ":streamGenerateContent"
