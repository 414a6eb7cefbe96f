"""A small real SMTP server that accepts, refuses, greylists or hangs, as a test tells it."""

import socketserver
import threading
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser


@dataclass
class Behaviour:
    """What the server does. Each list is used up from the front, then the server accepts."""

    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    hang_at: str = ""
    """A command that gets no answer at all."""
    drop_after_data: bool = False
    """Take the message, then cut the line without an answer."""
    banner: str = "220 smtp.example ready"


class SmtpServerForTests:
    """Listens on loopback until the `with` block ends. `raw`: each message accepted; `recipients`: each RCPT line."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.closing = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer.connections += 1
                outer.serve(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> "SmtpServerForTests":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """What was accepted, parsed."""
        parser = BytesParser(policy=policy.default)
        return [mail for raw in self.raw if isinstance(mail := parser.parsebytes(raw), EmailMessage)]

    def serve(self, handler: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            handler.wfile.write(f"{line}\r\n".encode())

        say(self.behaviour.banner)
        while line := handler.rfile.readline():
            command = line.decode().strip()
            verb = command.split(" ")[0].upper()
            if verb == self.behaviour.hang_at:
                self.closing.wait(20)
                return
            if verb == "EHLO":
                say("250 smtp.example")
            elif verb == "RCPT":
                self.recipients.append(command)
                say(self.behaviour.rcpt.pop(0) if self.behaviour.rcpt else "250 ok")
            elif verb == "DATA":
                if not self._data(handler, say):
                    return
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def _data(self, handler: socketserver.StreamRequestHandler, say: "object") -> bool:
        assert callable(say)
        say("354 go on")
        lines = []
        while (line := handler.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        answer = self.behaviour.data.pop(0) if self.behaviour.data else "250 taken"
        if answer.startswith("250"):
            self.raw.append(b"".join(lines))
        if self.behaviour.drop_after_data:
            return False
        say(answer)
        return True
