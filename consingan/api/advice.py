"""Why work ended early and what to do about it, in words. Loads no torch."""

from __future__ import annotations

import errno

from consingan.errors import DivergedError, UserError, gpu_failure, out_of_memory
from consingan.methods.registry import method_of
from consingan.settings.config import Config


def advice(error: Exception, config: Config | None = None) -> str | None:
    """Why a training ended early and what to do about it; None for what is a bug.

    Args:
        error: that ended it.
        config: of the training, whose method's remedies are named; None is the default one.
    """
    method = method_of(config.method if config else None)
    config = config or method.config()

    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, DivergedError):
        return f"{error}. {method.remedy('diverged', config)}"
    if out_of_memory(error):
        remedy = method.remedy("memory", config)
        return f"there is not enough memory; close other programs, {remedy}"
    if why := gpu_failure(error):
        return f"the GPU failed ({why}); if it does so again, use --device cpu."
    if isinstance(error, OSError) and error.errno is not None:
        return file_advice(error)
    return None


def file_advice(error: OSError) -> str:
    """Which file cannot be read or written, why, and what to do."""
    if error.errno == errno.EPIPE:
        return (
            f"what the output was piped into has ended ({error.strerror}); let it read to the end, "
            "or write into a file."
        )
    remedies = {
        errno.ENOSPC: "make room there",
        errno.EDQUOT: "make room there",
        errno.EFBIG: "make room there",
        errno.EACCES: "check its permissions",
        errno.EPERM: "check its permissions",
        errno.EROFS: "choose another place",
    }
    remedy = remedies.get(error.errno or 0, "mend that")
    return f"{place(error)} cannot be read or written ({error.strerror}); {remedy}."


def place(error: OSError) -> str:
    """The file that an error is about; of a renaming, the one that was to be written."""
    return str(error.filename2 or error.filename or "A file")
