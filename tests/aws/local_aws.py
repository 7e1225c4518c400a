"""ministack, a local AWS on the loopback interface, for all tests that need one."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path


@contextlib.contextmanager
def local_aws(environment):
    """The port of one that serves until the block ends. `environment` says for a port what its process has beside its own settings."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0"}
    server = subprocess.Popen(
        [Path(sys.executable).parent / "ministack"],
        env={**environment(port), **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        if not any("Running on" in line for line in server.stdout):
            raise RuntimeError(f"ministack ended with {server.wait()}")
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield port
    finally:
        server.kill()
        server.wait()


def with_services(services, **more):
    """This process's environment, for some services."""
    return {**os.environ, "SERVICES": services, **more}
