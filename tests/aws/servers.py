"""The servers that the tests set up on the loopback interface: a front of S3, an API, a giver of credentials, a proxy."""

import gzip
import http.client
import json
import select
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys


class Server:
    """An HTTP server on threads of its own, with a list of what was asked; `tls` is a pair of certificate and key."""

    def __init__(self, tls=None):
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:  # the client is gone, as when it was killed
                    self.close_connection = True

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.requests.append((self.command, self.path, dict(self.headers)))
                status, headers, reply = server.reply(self.command, self.path, dict(self.headers), body)
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if not any(name.lower() == "content-length" for name, _ in headers):
                    self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        # It looks this often, in seconds, whether it is to end.
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def reply(self, method, path, headers, body):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def begins_commit(method, path, body):
    """Whether it writes a manifest that has a commit in it, not only the try of a job."""
    return method == "PUT" and path.endswith("/_paceline/commit.json") and b'"commit":' in body


class Front(Server):
    """Passes requests on to S3. From the first manifest with a commit in it on they are counted; the reply to one of them is held."""

    def __init__(self, s3_port, hold=None, tls=None):
        self.s3_port = s3_port
        self.hold = hold
        self.counted = 0
        self.lock = threading.Lock()
        self.happened = threading.Event()
        self.held = False
        self.release = threading.Event()
        super().__init__(tls)

    def reply(self, method, path, headers, body):
        with self.lock:
            if self.counted or begins_commit(method, path, body):
                self.counted += 1
            held = self.counted == self.hold
        s3 = http.client.HTTPConnection("127.0.0.1", self.s3_port)
        s3.request(method, path, body, headers)
        reply = s3.getresponse()
        read = reply.read()
        s3.close()
        if held:
            self.held = True
            self.happened.set()
            self.release.wait()
        keep = [(n, v) for n, v in reply.getheaders() if n.lower() not in ("transfer-encoding", "connection")]
        return reply.status, keep, read

    def key_ids(self):
        """The ids of the keys that requests were signed with, in order, each once."""
        ids = [h["authorization"].split("Credential=")[1].split("/")[0] for _, _, h in self.signed()]
        return list(dict.fromkeys(ids))

    def regions(self):
        return {h["authorization"].split("Credential=")[1].split("/")[2] for _, _, h in self.signed()}

    def signed(self):
        lower = [(m, p, {name.lower(): value for name, value in h.items()}) for m, p, h in self.requests]
        return [request for request in lower if "authorization" in request[2]]


class Api(Server):
    """Answers each id with half of it, and each tenth with 422."""

    def reply(self, method, path, headers, body):
        record = json.loads(body)
        if record["id"] % 10 == 0:
            return 422, [], b'{"error": "no such record"}'
        return 200, [("Content-Type", "application/json")], json.dumps({"score": record["id"] / 2}).encode()


class Credentials(Server):
    """Credentials as a container and an instance have them: `key-1`, `key-2`, …, good until the times given in order."""

    def __init__(self, expiries):
        self.expiries = list(expiries)
        self.given = 0
        super().__init__()

    def reply(self, method, path, headers, body):
        if path == "/latest/api/token":
            return 200, [("x-aws-ec2-metadata-token-ttl-seconds", "21600")], b"token"
        if path.endswith("/security-credentials/"):
            return 200, [], b"role"
        if path != "/credentials" and not path.endswith("/security-credentials/role"):
            return 404, [], b""
        expiry = self.expiries[min(self.given, len(self.expiries) - 1)]
        self.given += 1
        given = {"AccessKeyId": f"key-{self.given}", "SecretAccessKey": "hunter2", "Token": "hunter3", "Expiration": expiry}
        given |= {"Code": "Success", "LastUpdated": "2020-01-01T00:00:00Z", "Type": "AWS-HMAC"}
        return 200, [("Content-Type", "application/json")], json.dumps(given).encode()


class ConnectProxy:
    """Tunnels each CONNECT to a port of the loopback interface by the host's name; other requests are refused."""

    def __init__(self, ports):
        self.ports = ports
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.tunnel, args=(client,), daemon=True).start()

    def tunnel(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            read = client.recv(4096)
            if not read:
                return
            head += read
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append((method, target))
        port = self.ports.get(target.split(":")[0])
        if method != "CONNECT" or port is None:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    try:
                        read = ready.recv(65536)
                    except OSError:
                        return
                    if not read:
                        return
                    (server if ready is client else client).sendall(read)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


class Gateway(Server):
    """API Gateway before a Lambda function, as its proxy integration: an event in, a status and a body out."""

    def __init__(self, handler, compresses=False):
        self.handler = handler
        self.compresses = compresses
        self.events = []
        self.raw = []
        self.compressed = 0
        super().__init__()

    def reply(self, method, path, headers, body):
        self.raw.append(body)
        headers = {name.lower(): value for name, value in headers.items()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        event = {"httpMethod": method, "path": path, "headers": headers, "body": body.decode(), "isBase64Encoded": False}
        self.events.append(event)
        reply = self.handler(event, None)
        given = list(reply.get("headers", {}).items())
        body = reply["body"].encode()
        if self.compresses and "gzip" in headers.get("accept-encoding", ""):
            self.compressed += 1
            body = gzip.compress(body)
            given.append(("Content-Encoding", "gzip"))
        return reply["statusCode"], given, body


class Integration(Server):
    """A gateway that hands a Lambda function the body as its event, and its reply back as it is."""

    def __init__(self, handler):
        self.handler = handler
        self.events = []
        super().__init__()

    def reply(self, method, path, headers, body):
        self.events.append(json.loads(body))
        return 200, [("Content-Type", "application/json")], self.handler(self.events[-1], None).encode()


class Invoke(Server):
    """Lambda's Invoke for one function, for whoever signs with these keys."""

    def __init__(self, name, handler, key_id, secret, token=None):
        self.path = f"/2015-03-31/functions/{name}/invocations"
        self.handler = handler
        self.keys = Keys(key_id, secret, token)
        self.events = []
        super().__init__()

    def reply(self, method, path, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        if method != "POST" or path != self.path:
            return 404, [], b'{"Message": "no such function"}'
        if not self.is_signed(path, headers, body):
            return 403, [("x-amzn-ErrorType", "InvalidSignatureException")], b'{"message": "the signature does not match"}'
        self.events.append(json.loads(body))
        try:
            # What a function returns is encoded, also where it is a text that holds JSON already.
            return 200, [], json.dumps(self.handler(self.events[-1], None)).encode()
        except Exception as error:
            failure = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            return 200, [("X-Amz-Function-Error", "Unhandled")], json.dumps(failure).encode()

    def is_signed(self, path, headers, body):
        """Makes the signature anew, from the headers that it says it covers."""
        said = dict(part.split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(", "))
        scope = said["Credential"].split("/")
        covered = {name: headers[name] for name in said["SignedHeaders"].split(";")}
        signer = SigV4Auth(self.keys, "lambda", "us-east-1")
        request = AWSRequest("POST", f"http://{headers['host']}{path}", headers=covered, data=body)
        request.context["timestamp"] = headers["x-amz-date"]
        made = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        token = headers.get("x-amz-security-token")
        is_whole = {"host", "x-amz-date", "content-type"} <= covered.keys()
        return made == said["Signature"] and scope[0] == self.keys.access_key and token == self.keys.token and is_whole
