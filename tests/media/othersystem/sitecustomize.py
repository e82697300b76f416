"""Shows our own code another operating system; the standard library and the packages go on seeing this one.

Python imports this at start where its folder is on PYTHONPATH, so that child processes have it as well.  The
environment says where our sources are (CUEBRIDGE_SOURCES) and what is shown (CUEBRIDGE_SYSTEM: windows or macos).
"""

import builtins
import os
import signal
import sys
import types

OURS = tuple(os.path.join(os.environ["CUEBRIDGE_SOURCES"], top) + os.sep for top in ("bridge", "engine", "models"))
WINDOWS = os.environ["CUEBRIDGE_SYSTEM"] == "windows"
LINUX_ONLY = """sched_setscheduler sched_getscheduler sched_getaffinity sched_setaffinity sched_param SCHED_FIFO
    SCHED_RR SCHED_OTHER memfd_create pidfd_open posix_fallocate""".split()  # noqa: SIM905
POSIX_ONLY = """nice getpriority setpriority chown fchown lchown mkfifo getuid geteuid getgid getegid killpg getpgid
    setsid getsid fork forkpty O_NONBLOCK O_NOFOLLOW O_CLOEXEC O_DIRECTORY O_NOCTTY uname statvfs getloadavg sync fchmod
    posix_spawn WNOHANG register_at_fork""".split()  # noqa: SIM905
POSIX_SIGNALS = """SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGALRM SIGQUIT SIGPIPE SIGSTOP SIGCONT SIGCHLD pthread_sigmask alarm
    setitimer""".split()  # noqa: SIM905
POSIX_MODULES = ("fcntl", "termios", "tty", "resource", "pwd", "grp", "pty", "syslog")
ABSENT = {
    "os": frozenset(LINUX_ONLY + POSIX_ONLY * WINDOWS),
    "signal": frozenset(POSIX_SIGNALS * WINDOWS),
}
VALUES = {"sys": {"platform": "win32" if WINDOWS else "darwin"}, "os": {"name": "nt"} if WINDOWS else {}}


class _Shown(types.ModuleType):
    def __getattribute__(self, name):
        get = types.ModuleType.__getattribute__
        module = get(self, "__name__")
        absent, values = ABSENT.get(module, ()), VALUES.get(module, {})
        if (name in absent or name in values) and sys._getframe(1).f_code.co_filename.startswith(OURS):
            if name in absent:
                raise AttributeError(f"module '{module}' has no attribute '{name}'")
            return values[name]
        return get(self, name)


_import = builtins.__import__


def _imported(name, globals=None, locals=None, fromlist=(), level=0):
    if WINDOWS and name in POSIX_MODULES and globals and str(globals.get("__file__", "")).startswith(OURS):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)
    return _import(name, globals, locals, fromlist, level)


def _is_open(path):
    """In any process of this user's: by the links of Linux's own list of open files."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if any(os.path.samefile(each.path, path) for each in os.scandir(f"/proc/{process}/fd")):
                return True
        except OSError:  # ended, another user's, or it has closed that file meanwhile
            continue
    return False


def _refuses_what_is_open(remove):
    """Windows does not remove a file that is open; engine/music/temporary.py tells by that who has ended."""

    def removed(path, *rest, **more):
        if os.path.basename(os.fsdecode(path)) == ".owner" and _is_open(path):
            raise PermissionError(13, "The process cannot access the file because it is being used", os.fsdecode(path))
        return remove(path, *rest, **more)

    return removed


if WINDOWS:
    os.unlink, os.remove = _refuses_what_is_open(os.unlink), _refuses_what_is_open(os.remove)
for _module in (os, signal, sys):
    _module.__class__ = _Shown
builtins.__import__ = _imported
