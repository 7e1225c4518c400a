"""Starts ministack, a local AWS on the loopback interface, for tests and for the local environment."""

import os
import subprocess
import sys
from pathlib import Path


def start_ministack(port, services, stdout=subprocess.PIPE, **more):
    """The process, which serves when it has said "Running on". What is in `more` is in its environment."""
    env = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "SERVICES": services, **more}
    program = Path(sys.executable).parent / "ministack"
    return subprocess.Popen([program], env=env, stdout=stdout, stderr=subprocess.STDOUT, text=True)
