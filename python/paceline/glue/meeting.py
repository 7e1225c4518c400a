"""Where tasks on Glue's workers meet the driver: a socket of its own for each task, with one JSON object a line, both ways.

Who comes must know the secret. The end of the connection is the end of the task, and of the driver, for the other side.
"""

import hmac
import json
import socket
import threading
from contextlib import suppress
from typing import Any, Callable, Dict, List, Tuple

__all__ = ["Line", "Meeting", "join"]

Message = Dict[str, Any]
# No task has more to say at once, in bytes.
LONGEST_LINE = 1 << 20
CONNECT_WITHIN = 30  # seconds


class Line:
    """A connection that carries JSON objects."""

    def __init__(self, connection: socket.socket):
        self.socket = connection
        self.unread = b""
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """For `select`."""
        return self.socket.fileno()

    def send(self, message: Message) -> bool:
        """Tells whether it could be sent: who is gone hears nothing."""
        try:
            with self._sending:
                self.socket.sendall(json.dumps(message).encode() + b"\n")
            return True
        except OSError:
            return False

    def receive(self) -> List[Message]:
        """Waits for something and returns what came, perhaps nothing whole yet. Raises EOFError when the other is gone."""
        try:
            read = self.socket.recv(1 << 16)
        except OSError as error:
            raise EOFError(str(error)) from error
        if not read or len(self.unread) > LONGEST_LINE:
            raise EOFError
        *whole, self.unread = (self.unread + read).split(b"\n")
        return [json.loads(line) for line in whole]

    def close(self) -> None:
        """Ends it for both."""
        with suppress(OSError):  # it has ended
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Meeting:
    """The driver's side. `heard(line, message)` is called for all that is said; a message of `None` is the end of a line."""

    def __init__(self, host: str, secret: str, heard: Callable[[Line, Any], None]):
        self.secret = secret
        self.heard = heard
        self.listener = socket.create_server((host, 0))
        self.address: Tuple[str, int] = self.listener.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(Line(connection),), daemon=True).start()

    def _serve(self, line):
        is_known = False
        try:
            while True:
                for message in line.receive():
                    if not is_known and not hmac.compare_digest(str(message.get("secret")).encode(), self.secret.encode()):
                        return
                    is_known = True
                    message.pop("secret", None)
                    self.heard(line, message)
        except (EOFError, ValueError, AttributeError):
            pass  # gone, or nobody of ours
        finally:
            if is_known:
                self.heard(line, None)
            line.close()

    def close(self) -> None:
        """Lets nobody in any more. Lines that are there stay."""
        self.listener.close()


def join(address: Tuple[str, int], secret: str, message: Message) -> Line:
    """The task's side: introduces itself with a message."""
    connection = socket.create_connection(tuple(address), CONNECT_WITHIN)
    connection.settimeout(None)
    line = Line(connection)
    line.send({"secret": secret, **message})
    return line
