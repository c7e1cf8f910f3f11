"""The one exception that means "the user can mend this"."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend: one sentence that says what is wrong and what to do.

    The command line prints the sentence and exits with code 2; from Python it is an ordinary
    exception. Anything else that is raised is a bug of this program.
    """
