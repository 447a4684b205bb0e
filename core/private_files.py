"""Files that only their owner may read: all that a program here writes may show a patient."""

import os

_OTHERS = 0o077


def keep_files_private() -> None:
    """Give no access to group and others on files and folders that this process makes from now on.

    Processes that it starts do the same. A folder's default ACL takes precedence (acl(5)), so that
    a site can still let a backup or a log collector read.
    """
    os.umask(os.umask(_OTHERS) | _OTHERS)
