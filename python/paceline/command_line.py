"""The command line, which is in the extension."""

import signal
import sys


def main() -> None:
    """Carries out the arguments of this process; `paceline` and `python -m paceline` are this."""
    from paceline._native import command_line

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # commands listen for it themselves
    sys.exit(command_line(["paceline", *sys.argv[1:]], [sys.executable, "-m", "paceline"]))
