"""Which device a script may ask for: Ferrule runs on CPUs, so that lines written for spaCy's choice stay."""

from __future__ import annotations

__all__ = ["prefer_gpu", "require_cpu", "require_gpu"]


def prefer_gpu(gpu_id: int = 0) -> bool:
    """Whether a GPU is used from here on: never. As in spaCy where none is there, this is no error.

    >>> prefer_gpu()
    False
    """
    return False


def require_gpu(gpu_id: int = 0) -> bool:
    """Refuse, with ValueError, as spaCy does where no GPU is there."""
    raise ValueError("require_gpu: Ferrule runs on CPUs. Leave the line out, or write prefer_gpu()")


def require_cpu() -> bool:
    """Whether the CPU is used from here on: always."""
    return True
