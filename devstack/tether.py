"""Start a program that dies when its parent thread dies, under another account if asked.

Run by path, before anything else of the stack is imported: `python -I -S tether.py PARENT SIGNAL ACCOUNT PROGRAM …`.
PARENT is the process id of the parent, SIGNAL the number of the signal to get on its death, ACCOUNT a user name or "".
Replaces itself by PROGRAM, so the process id stays.

The kernel ties the signal to the parent *thread* and forgets it when the process changes its account
(prctl(2), PR_SET_PDEATHSIG), hence the order below. Other systems than Linux have no such signal: there a killed
parent leaves its children behind.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change the account, ask for the signal, become the program."""
    parent, signal_number, account, *program = sys.argv[1:]
    if account:
        entry = pwd.getpwnam(account)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number))
    if os.getppid() != int(parent):
        sys.exit("the parent died before its child started")
    os.execvp(program[0], program)  # noqa: S606 - the whole purpose


if __name__ == "__main__":
    main()
