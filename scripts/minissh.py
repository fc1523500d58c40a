#!/usr/bin/env python3
"""minissh 的第二个客户端，只照 PROTOCOL.md 写成，只用标准库。A second minissh client, from PROTOCOL.md and the library alone.
    python3 minissh.py [--port N] [--pem FILE] [--host-key SHA256:…] [user@]HOST command…     HOST: name, address, unix:PATH
FR2 是规范里关于帧的第 2 条。一个线程、一个 select 循环，谁也不等谁。FR2 is the second rule about frames. One thread, one select loop, no waiting."""
import base64, contextlib, getopt, getpass, hashlib, json, os, re, secrets, select, signal, socket, ssl, struct, sys, time

OPEN, OPENED, WINDOW, EOF, SIGNAL, NOTICE, EXIT, CLOSE, STDIN, STDOUT, STDERR = SESSION = 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 18  # FR5
HELLO, WELCOME, ACK, PING, PONG, GOODBYE, ERROR = LINK = range(0x81, 0x88)
JSON = {OPENED: 8192, NOTICE: 8192, EXIT: 16384, CLOSE: 8192, WELCOME: 16384, GOODBYE: 8192, ERROR: 8192}  # 最多几字节 the most bytes
SIZE = {WINDOW: 8, EOF: 1, ACK: 8, PING: 8, PONG: 8}  # FR5
HEADER, MAX, START, MOST = struct.Struct(">IBBHI"), 65536, 262144, 4 << 20  # FR1, FR2, CH5; MOST: 窗口最大 our window at most
class Failure(Exception): """(说明, 代码)：有代码是对端违规，也要告诉它。(text, code): with a code the peer broke a rule, and is told (FR7)."""

def parse(body):  # JS1, JS2: 比 json 模块严 stricter than the json module
    def strict(pairs):  # 重复的键、别样的键 a key twice, a key of another form
        if len(dict(pairs)) == len(pairs) and all(re.fullmatch("[a-z0-9_]+", k) for k, _ in pairs): return dict(pairs)
        raise ValueError("keys")
    with contextlib.suppress(ValueError, RecursionError):  # int("1.5"), 孤立的代理项 a lone surrogate: ValueError
        value = json.loads(body.decode(), object_pairs_hook=strict, parse_constant=int, parse_float=int)
        if type(value) is dict and json.dumps(value, ensure_ascii=False).encode(): return value
    raise Failure("not one strict JSON object", "bad_json")

def fingerprint(der, at=0):  # ID1, ID3: 按位置走到公钥，绝不搜索：别处可藏假的 walk to the key, never search: a fake may hide elsewhere
    # 进 enter: Certificate, TBSCertificate; 过 pass: version, serial, algorithm, issuer, dates, subject, SubjectPublicKeyInfo
    for enter, tag in zip((1, 1, 0, 0, 0, 0, 0, 0, 0), b"\x30\x30\xa0\x02\x30\x30\x30\x30\x30"):
        n, start = der[at + 1], at + 2
        if der[at] != tag or n == 0x80: raise Failure("the host's certificate is not as expected")  # 0x80: 不定长 indefinite
        if n > 0x80: n, start = int.from_bytes(der[start:start + n - 0x80], "big"), start + n - 0x80
        key, at = der[at:start + n], start if enter else start + n
    if len(key) != 44 or key[:12].hex() != "302a300506032b6570032100": raise Failure("the host key is not Ed25519")
    digest = hashlib.sha256(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + key[12:]).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

def connect(host, port, pem, host_key):
    if host.startswith("unix:"):  # CA3: 没有 TLS，由内核说对端是谁 no TLS, the kernel says who is at the other end
        link = socket.socket(socket.AF_UNIX); link.connect(host[5:])
        if (uid := struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]) in (0, os.getuid()): return link
        raise Failure(f"the socket's other end is uid {uid}")
    if not host_key or not pem: raise Failure("over TCP both --host-key and --pem are needed")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # CA1, CA2; 不给 server_hostname 就没有 SNI without server_hostname: no SNI
    tls.check_hostname, tls.verify_mode, tls.minimum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3
    tls.set_alpn_protocols(["minissh/1"]); tls.load_cert_chain(pem)
    link = tls.wrap_socket(socket.create_connection((host, port), timeout=20))  # CA4: 报 ACCESS_DENIED 是连接太多 too many connections
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # 小帧马上走 small frames leave at once
    if link.selected_alpn_protocol() != "minissh/1": raise Failure("the other end does not speak minissh/1")
    if (found := fingerprint(link.getpeercert(True))) == host_key: return link  # ID4: 第一帧之前 before the first frame
    raise Failure(f"the host key is {found}, not the one expected")

class Client:
    out, into, typing, pong, broken, live, next = b"", b"", True, None, 0, set(), WELCOME  # live: 没有 EOF 的输出 outputs without EOF
    credit, used, window, granted, got, full = START, 0, START, START, 0, 0  # CH5: STDIN 准许、已发；输出 output: granted 准许, got 已收
    def __init__(self, link, user, command):
        self.link, self.screen, self.heard, self.asked = link, {1: bytearray(), 2: bytearray()}, time.monotonic(), 0
        self.send(HELLO, {"protocol": "minissh/1", "session": secrets.token_hex(32), "epoch": 1, "create": True, "received": 0,
                          "user": user, "resend": 0, "hold": 0, "channels": 0})  # SE1; SE3: 下一帧不等 WELCOME OPEN does not wait
        try: self.send(OPEN, {"service": "exec", "command": command.decode()})  # EX1
        except UnicodeDecodeError: self.send(OPEN, {"service": "exec", "command": {"b64": base64.b64encode(command).decode()}})  # JS3
    def send(self, kind, body, flags=0):  # FR4: 整帧进缓冲，select 准写才写 whole frames wait here until select lets them go
        body = json.dumps(body, ensure_ascii=False).encode() if type(body) is dict else body
        self.out += HEADER.pack(len(body), kind, flags, 0, 0 if kind in LINK else 1) + body
    def receive(self, data):  # TCP 没有包：凑齐了才是一帧 TCP has no packets: a frame is there when all of it is (FR4)
        if not data: raise Failure("the link is lost; the command's outcome is unknown")  # SE5
        self.heard, self.into = time.monotonic(), self.into + data
        while len(self.into) >= 12 and self.next:  # next: WELCOME → OPENED → EOF, EOF → EXIT → CLOSE → None (CH4)
            length, kind, flags, reserved, channel = HEADER.unpack_from(self.into)
            if length <= MAX and kind not in (*SESSION, *LINK): raise Failure(hex(kind), "unknown_type")  # FR6, FR3
            if length > {**JSON, **SIZE}.get(kind, MAX): raise Failure(f"{length} bytes", "frame_too_large")  # FR2: 收载荷之前 before any payload
            if len(self.into) < 12 + length: return
            body, self.into = self.into[12:12 + length], self.into[12 + length:]
            if (reserved or flags > (kind in (STDOUT, STDERR)) or (kind in SESSION) != (channel > 0) or not length
                    or length != SIZE.get(kind, length)): raise Failure(hex(kind), "bad_frame")  # FR3, CH6
            body = parse(body) if kind in JSON else body
            if kind in (ERROR, GOODBYE) or kind == CLOSE and "code" in body: raise Failure(f"the daemon says {ascii(body)[:2000]}")  # CO3
            due = self.live | {self.next, ACK, PING, PONG} | (set() if self.next == WELCOME else {WINDOW, NOTICE})  # 该来的 due now
            if kind not in due or kind == EOF and body[0] not in self.live: raise Failure(hex(kind), "unexpected_frame")
            if channel > 1: raise Failure(str(channel), "unknown_channel")  # CH8
            if kind == WELCOME: self.next = OPENED
            elif kind == OPENED: self.next, self.live = EOF, {STDOUT, STDERR}
            elif kind == EOF: self.live, self.next = self.live - {body[0]}, EOF if len(self.live) == 2 else EXIT
            elif kind == EXIT: self.next, self.exit = CLOSE, body
            elif kind == CLOSE: self.next = self.send(CLOSE, {}) or self.send(GOODBYE, {})  # None: 完了 done
            elif kind == PING: self.pong = body  # SE6: 只需答最后一个 only the last must be answered
            elif kind == WINDOW and (total := int.from_bytes(body, "big")) > self.credit: self.credit = total  # CH5: 总数，不是增量
            elif kind == WINDOW: raise Failure(f"{total} after {self.credit}", "bad_window")  # 只会变大 a total, and it only grows
            elif kind in self.live:
                self.got, self.full = self.got + length, flags
                if self.got > self.granted: raise Failure(f"{self.got} of {self.granted}", "window_exceeded")
                self.screen[kind - 16] += body  # 0x11 → fd 1, 0x12 → fd 2
    def step(self):  # SE7: select 说行的才做，读就从不等写 only what select allows is done: reading never waits for writing
        now, room = time.monotonic(), bool(self.next and self.typing and self.used < self.credit and len(self.out) < MAX)
        if self.broken > 1 or self.next and now - self.heard > 45: raise Failure("the link is lost")  # SE6
        if self.next and now - max(self.heard, self.asked) > 15: self.asked = self.send(PING, bytes(8)) or now
        if self.pong and self.next and len(self.out) < MAX: self.pong = self.send(PONG, self.pong)
        held = self.next and type(self.link) is ssl.SSLSocket and self.link.pending()  # TLS 解好的，select 看不见 select misses these
        reads, writes = [self.link] * bool(self.next) + [0] * room, [self.link] * bool(self.out and not self.broken)
        r, w, _ = select.select(reads, writes + [fd for fd in (1, 2) if self.screen[fd]], [], 0 if held else 5)
        try:
            if self.link in r or held: self.receive(self.link.recv(MAX))
            if self.link in w: self.out = self.out[self.link.send(self.out):]
        except OSError as e:  # FR8: 写坏了，先读完对端的话 after a failed write first read what the peer has said
            self.broken += not isinstance(e, (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError))  # 回头再来 come back later
        if 0 in r and self.next:  # CH6: 用尽额度的帧带 BLOCKED; EX4: 半关 half-close
            data = os.read(0, min(MAX, self.credit - self.used))
            self.used, self.typing = self.used + len(data), bool(data)
            self.send(*(STDIN, data, self.used == self.credit) if data else (EOF, bytes([STDIN])))
        for fd in {1, 2}.intersection(w): del self.screen[fd][:os.write(fd, self.screen[fd][:4096])]
        waiting = len(self.screen[1]) + len(self.screen[2])  # CH7: 写出去才算消费；只有窗口挡路就加倍 what is written is consumed;
        if self.full and not waiting: self.window, self.full = min(2 * self.window, MOST), 0  # grow if only the window is in the way
        total = self.got - waiting + self.window
        if self.live and total - self.granted >= self.window // 2: self.granted = self.send(WINDOW, total.to_bytes(8, "big")) or total

client = None
try: options, (host, word, *words) = getopt.getopt(sys.argv[1:], "", ["port=", "pem=", "host-key="])
except (getopt.GetoptError, ValueError): print("用法 usage:", __doc__.splitlines()[1].strip(), file=sys.stderr); sys.exit(255)
try:
    option, (user, host) = dict(options).get, re.fullmatch("(?:((?!unix:)[^@]*)@)?(.*)", host).groups()
    link = connect(host, int(option("--port", 7422)), option("--pem"), option("--host-key")); link.setblocking(False)
    client = Client(link, user or getpass.getuser(), os.fsencode(" ".join([word, *words])))
    while client.next or client.out and not client.broken or any(client.screen.values()): client.step()
    how, code, name = map(client.exit.get, ("how", "code", "signal"))  # EX6
    if how == "exited" and type(code) is int and 0 <= code < 256: sys.exit(code)
    if how == "signalled": sys.exit(128 + (int(name) if re.fullmatch("[0-9]{1,2}", str(name)) else signal.Signals[f"SIG{name}"]))
    raise Failure(f"the command did not end by itself: {how!a}")
except (Failure, OSError, ValueError, KeyError, KeyboardInterrupt) as e:
    print("minissh.py:", " ".join(e.args[::-1]) if isinstance(e, Failure) else ascii(e), file=sys.stderr)
    with contextlib.suppress(OSError):  # FR7: 说、半关、再读一会儿 speak, half-close, read on for a while
        if client and isinstance(e, Failure) and e.args[1:]:
            client.send(ERROR, {"code": e.args[1], "message": e.args[0]})
            link.settimeout(2); link.sendall(client.out); link.shutdown(socket.SHUT_WR)
            while link.recv(MAX): pass
        for fd in client.screen if client else (): os.write(fd, client.screen[fd])  # 收到的都写完 what has arrived is written
    sys.exit(255)
