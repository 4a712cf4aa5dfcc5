# SPDX-License-Identifier: MIT
"""Directories that are there until the program which made them ends: build/tmp.

It removes them itself, however its tests end and whichever signal ends it, but SIGKILL. What is left then goes when the next one is made, by
any program: each directory is locked (flock) by its maker, and whose is not is nobody's. The folder is locked while a new one is not yet.
"""
import fcntl
import os
import shutil
import tempfile


def locked(path, how):
    """A descriptor that holds the lock; None where another program has it. It is not inherited by what is started."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def clear(folder):
    """Removes what killed programs have left."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            descriptor = locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, NotADirectoryError):   # its maker has just removed it; or it is no directory
            continue
        if descriptor is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)


def new(folder):
    os.makedirs(folder, exist_ok=True)
    whole = locked(folder, fcntl.LOCK_EX)
    clear(folder)
    directory = tempfile.mkdtemp(dir=folder)
    locked(directory, fcntl.LOCK_EX)    # until this program ends
    os.close(whole)
    return directory
