# The least of a client that copies files (protocol/FILES.md), for the kit's own tests:
#   python3 copy.py put|get unix:SOCKET LOCAL REMOTE
import getpass, hashlib, json, os, secrets, socket, stat, struct, sys

OPEN, OPENED, WINDOW, EOF, EXIT, CLOSE, STDIN, STDOUT = 1, 2, 3, 4, 8, 9, 16, 17
HELLO, WELCOME, PING, PONG, GOODBYE = 0x81, 0x82, 0x84, 0x85, 0x86
mode, address, local, remote = sys.argv[1:]
link = socket.socket(socket.AF_UNIX)
link.connect(address[5:])


def send(kind, body, channel=1):
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    link.sendall(struct.pack(">IBBHI", len(body), kind, 0, 0, channel) + body)


def exactly(n):
    data = b""
    while len(data) < n:
        piece = link.recv(n - len(data))
        if not piece:
            sys.exit("copy.py: the link is lost")
        data += piece
    return data


came, got, exit_code, credit, used = bytearray(), 0, None, 262144, 0


def frame():
    """Takes one frame; a PING is answered, output kept, credit granted."""
    global got, exit_code, credit
    length, kind, _, _, channel = struct.unpack(">IBBHI", exactly(12))
    body = exactly(length)
    if kind == PING:
        send(PONG, body, 0)
    elif kind == STDOUT:
        came.extend(body)
        got += length
        send(WINDOW, struct.pack(">Q", got + 262144))
    elif kind == WINDOW:
        credit = struct.unpack(">Q", body)[0]
    elif kind == EXIT:
        exit_code = json.loads(body).get("code")
    elif kind == CLOSE:
        send(CLOSE, {})
        send(GOODBYE, {}, 0)
        sys.exit("copy.py: the copy has ended early")
    return kind


def stdin(data):
    global used
    while data:
        while used == credit:
            frame()
        part, data = data[:min(65536, credit - used)], data[min(65536, credit - used):]
        send(STDIN, part)
        used += len(part)


def say(header, body=b""):
    text = json.dumps(header).encode()
    stdin(struct.pack(">I", len(text)) + text + body)


def hear():
    """Takes one record: its header and its body."""
    def part(n):
        while len(came) < n:
            frame()
        data = bytes(came[:n])
        del came[:n]
        return data
    size, = struct.unpack(">I", part(4))
    if not 2 <= size <= 16384:
        give_up("a header of %d bytes" % size)
    try:
        header = json.loads(part(size))
    except ValueError:
        give_up("not JSON")
    if header.get("kind") not in ("file", "data", "end", "dir", "link", "fault", "total", "stored",
                                  "error", "done"):
        give_up("a record of another kind")
    return header, part(header.get("body", 0))


def give_up(why):
    send(CLOSE, {"code": "bad_record"})
    while frame() != CLOSE:
        pass


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


last = 0


def entry(path, name):
    """Sends a file, a link, or a folder with all that is in it."""
    global last
    last += 1
    info = os.lstat(path)
    header = {"id": last, "name": name, "mode": info.st_mode & 511, "mtime": int(info.st_mtime)}
    if stat.S_ISLNK(info.st_mode):
        say({"kind": "link", **header, "target": os.readlink(path)})
    elif stat.S_ISDIR(info.st_mode):
        say({"kind": "dir", **header})
        for inside in sorted(os.listdir(path)):
            entry(path + "/" + inside, name + "/" + inside)
    elif not stat.S_ISREG(info.st_mode):
        say({"kind": "fault", "id": last, "name": name, "code": "not_copied", "message": "special"})
    else:
        with open(path, "rb") as f:
            data = f.read()
        header["size"] = len(data)
        if len(data) <= 262144:
            say({"kind": "file", **header, "body": len(data), "digest": digest(data)}, data)
        else:
            say({"kind": "file", **header})
            for at in range(0, len(data), 262144):
                piece = data[at:at + 262144]
                say({"kind": "data", "body": len(piece)}, piece)
            say({"kind": "end", "digest": digest(data)})


def put():
    """Sends all; false: something is not in place."""
    entry(local, os.path.basename(local))
    say({"kind": "done"})
    good = True
    while True:
        header, _ = hear()
        if header["kind"] == "done":
            return good
        good = good and header["kind"] != "error"


def inside(name):
    """Says whether a name is one that was asked for."""
    parts = name.split("/")
    return parts[0] == os.path.basename(remote) and not {"", ".", ".."} & set(parts)


def take(name, data, sent):
    """Puts a file in its place; the answer is the code of what is wrong."""
    path = local + "/" + name if os.path.isdir(local) else local
    if not inside(name):
        return "name_refused"
    if os.path.realpath(os.path.dirname(path)) != os.path.dirname(os.path.abspath(path)):
        return "outside"
    if digest(data) != sent:
        return "digest"
    part = os.path.dirname(path) + "/.minissh-copy.part"
    with open(part, "wb") as f:
        f.write(data)
    os.rename(part, path)
    return ""


def get():
    """Takes all; false: something is not in place."""
    good, entries, size, name, ident, data, last = True, 0, 0, None, 0, b"", 0
    while True:
        header, body = hear()
        kind = header["kind"]
        size += len(body)
        if kind in ("data", "end") and name is None or kind == "file" and name is not None:
            give_up("a record out of order")
        if header.get("id", last + 1) <= last:
            give_up("an id again")
        last = header.get("id", last)
        code = None
        if kind == "file":
            name, ident, data = header["name"], header["id"], body
        elif kind == "data":
            data += body
        elif kind == "dir":
            os.mkdir(local + "/" + header["name"])
        elif kind == "link":
            os.symlink(header["target"], local + "/" + header["name"])
        if kind == "end" or kind == "file" and "digest" in header:
            code, name, entries = take(name, data, header.get("digest")), None, entries + 1
        if code:
            good = False
            say({"kind": "error", "id": ident, "code": code, "message": code})
        elif code == "":
            say({"kind": "stored", "id": ident})
        if kind == "done":
            say({"kind": "done", "files": entries, "bytes": size})
            return good


request = {"mode": mode, "recurse": True} if mode == "get" else {"mode": mode}
request.update({"target": remote} if mode == "put" else {"sources": [remote]})
send(HELLO, {"protocol": "minissh/1", "session": secrets.token_hex(32), "epoch": 1, "create": True,
             "received": 0, "user": getpass.getuser(), "resend": 0}, 0)
while frame() != WELCOME:
    pass
send(OPEN, {"service": "files", "files": request})
while frame() != OPENED:
    pass
good = put() if mode == "put" else get()
send(EOF, bytes([STDIN]))
while exit_code is None:
    frame()
send(CLOSE, {})
send(GOODBYE, {}, 0)
sys.exit(0 if good and exit_code == 0 else 1)
