#!/usr/bin/env python3
"""从 minisshd 的 Unix 套接字取文件，或运行一条命令；只照 protocol/PROTOCOL.md 和 FILES.md 写成。
Fetches files from a minisshd, or runs a command there, over a Unix socket. It is written from
protocol/PROTOCOL.md and FILES.md alone: FR2 is a rule there.
    python3 fetch.py SOCKET get SOURCE FOLDER
    python3 fetch.py SOCKET run COMMAND"""
import base64, getpass, hashlib, json, os, secrets, socket, struct, sys

OPEN, OPENED, WINDOW, EOF, NOTICE, EXIT, CLOSE = 1, 2, 3, 4, 7, 8, 9  # FR5
STDIN, STDOUT, STDERR = 16, 17, 18
HELLO, WELCOME, PING, PONG, GOODBYE, ERROR = 0x81, 0x82, 0x84, 0x85, 0x86, 0x87
JSON = (OPENED, NOTICE, EXIT, CLOSE, WELCOME, GOODBYE, ERROR)
HEADER, LIMIT = struct.Struct(">IBBHI"), 262144  # FR1, CH5


class Fault(Exception):
    """A file that is not stored, by its code (FI5)."""


def text(raw):  # JS3
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(raw).decode()}


def raw(value):  # JS3
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()


class Link:
    def __init__(self, path, request):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        peer = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        uid = struct.unpack("3i", peer)[1]
        if uid not in (0, os.getuid()):  # CA3
            sys.exit(f"the socket's other end is uid {uid}")
        self.exit, self.got, self.credit, self.used = None, 0, LIMIT, 0
        self.send(HELLO, {"protocol": "minissh/1", "session": secrets.token_hex(32), "epoch": 1,
                          "create": True, "user": getpass.getuser()})  # SE1
        self.send(OPEN, request)  # SE3: WELCOME need not have come

    def send(self, kind, payload):
        if isinstance(payload, dict):
            payload = json.dumps(payload, ensure_ascii=False).encode()
        header = HEADER.pack(len(payload), kind, 0, 0, 0 if kind >= 0x80 else 1)  # FR3
        self.socket.sendall(header + payload)  # FR4

    def exactly(self, n):
        data = bytearray()
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                sys.exit("the link is lost; the outcome is unknown")  # SE5
            data += more
        return bytes(data)

    def frames(self):
        """What comes on the channel, up to CLOSE."""
        while True:
            length, kind, flags, reserved, channel = HEADER.unpack(self.exactly(12))
            if length > 65536 or reserved or channel != (kind < 0x80):  # FR2, FR3
                sys.exit("not a frame")
            payload = self.exactly(length)
            if kind in JSON:
                payload = json.loads(payload)
            if kind in (ERROR, GOODBYE) or kind == CLOSE and payload:
                sys.exit(f"the daemon says {ascii(payload)}")  # CO3
            if kind == PING:
                self.send(PONG, payload)  # SE6
            if kind == WINDOW:
                self.credit = int.from_bytes(payload, "big")
            if kind in (STDOUT, STDERR):
                yield kind, payload
                self.got += length  # CH7: a grant for what was taken
                self.send(WINDOW, (self.got + LIMIT).to_bytes(8, "big"))
            if kind == EXIT:
                self.exit = payload
            if kind == CLOSE:
                self.send(CLOSE, {})
                self.send(GOODBYE, {})
                return

    def say(self, **record):  # FI3, on STDIN
        header = json.dumps(record).encode()
        self.used += 4 + len(header)
        if self.used > self.credit:
            sys.exit("no credit is left for answers")
        self.send(STDIN, struct.pack(">I", len(header)) + header)


def records(link):
    """The records in STDOUT (FI3): each header, and its body."""
    data = bytearray()
    for kind, payload in link.frames():
        if kind == STDERR:
            sys.stderr.buffer.write(payload)
            continue
        data += payload
        while len(data) >= 4:
            size = int.from_bytes(data[:4], "big")
            if not 2 <= size <= 16384:
                sys.exit("not a record")
            if len(data) < 4 + size:
                break
            header = json.loads(data[4:4 + size])
            end = 4 + size + header.get("body", 0)
            if len(data) < end:
                break
            yield header, bytes(data[4 + size:end])
            del data[:end]


def place(folder, name, top):
    """Where an entry goes (FI6): below folder, and through no link."""
    parts = name.split(b"/")
    if len(name) > 4096 or {b"", b".", b".."}.intersection(parts) or parts[0] != top:
        raise Fault("name_refused")
    if parts[-1].startswith(b".minissh-") and parts[-1].endswith(b".part"):  # FI9
        raise Fault("name_refused")
    for part in parts[:-1]:
        folder = os.path.join(folder, part)
        if os.path.islink(folder):
            raise Fault("outside")
    return os.path.join(folder, parts[-1])


class File:
    """A file that is being written (FI9)."""

    def __init__(self, path, header):
        self.path, self.header, self.hash = path, header, hashlib.sha256()
        where, name = os.path.split(path)
        mark = hashlib.sha256(name).hexdigest()[:16].encode()
        self.partial = os.path.join(where, b".minissh-%s.part" % mark)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        self.out = os.fdopen(os.open(self.partial, flags, 0o600), "wb")

    def write(self, body):
        self.hash.update(body)
        self.out.write(body)

    def finish(self, digest):
        self.out.close()
        if digest != "sha256:" + self.hash.hexdigest():  # FI8
            os.remove(self.partial)
            raise Fault("digest")
        os.chmod(self.partial, self.header.get("mode", 0) & 0o777 & ~umask)  # FI7
        os.rename(self.partial, self.path)

    def drop(self):
        self.out.close()
        os.remove(self.partial)


def get(link, folder, top):
    last, told, stored, failed, size, now = 0, 0, 0, 0, 0, None
    for header, body in records(link):
        kind, code = header["kind"], None
        size += len(body)
        if kind == "done":
            link.say(kind="stored", id=last) if last > told else None
            link.say(kind="done", files=stored, bytes=size)  # FI5
            link.send(EOF, bytes([STDIN]))
            continue
        last = max(last, header.get("id", 0))
        try:
            if kind == "fault":  # FI4
                failed += 1
                print(ascii(header), file=sys.stderr)
            elif kind == "dir":
                path = place(folder, raw(header["name"]), top)
                os.path.isdir(path) or os.mkdir(path)
                stored += 1
            elif kind == "link":
                os.symlink(raw(header["target"]), place(folder, raw(header["name"]), top))
                stored += 1
            elif kind == "file":
                now = File(place(folder, raw(header["name"]), top), header)
            if now and "code" in header:
                now, failed = now.drop(), failed + 1
            elif now:
                now.write(body)
                if "digest" in header:
                    file, now = now, None
                    file.finish(header["digest"])
                    stored += 1
        except Fault as e:
            code = str(e)
        except OSError as e:
            code = "exists" if isinstance(e, FileExistsError) else "io"
        if code:
            now, failed = None, failed + 1
            print(f"{header.get('name')!a}: {code}", file=sys.stderr)
            link.say(kind="error", id=last, code=code, message=code)
        if not now and last - told >= 32:  # FI5: within 64 entries
            told = link.say(kind="stored", id=last) or last
    return failed


umask = os.umask(0)
os.umask(umask)
try:
    path, verb, what, *rest = map(os.fsencode, sys.argv[1:])
    if (verb, len(rest)) not in ((b"run", 0), (b"get", 1)):
        raise ValueError
except ValueError:
    sys.exit(__doc__)
if verb == b"run":
    link = Link(path, {"service": "exec", "command": text(what)})  # EX1
    link.send(EOF, bytes([STDIN]))
    for kind, payload in link.frames():
        os.write(kind - STDIN, payload)
    failed = 0
else:
    request = {"mode": "get", "sources": [text(what)], "recurse": True}  # FI1
    link = Link(path, {"service": "files", "files": request})
    failed = get(link, rest[0], os.path.basename(what.rstrip(b"/")))
if (link.exit or {}).get("how") != "exited" or "code" not in link.exit:  # EX6
    sys.exit(255)
sys.exit(link.exit["code"] or bool(failed))
