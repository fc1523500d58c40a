#!/usr/bin/env python3
"""minissh 的第二个客户端，只照 PROTOCOL.md 写成，只用标准库。A second minissh client, from PROTOCOL.md, with the standard library only.
    python3 minissh.py [--port N] [--pem FILE] [--host-key SHA256:…] [--resume SECONDS] [user@]HOST command…
HOST 是主机名、地址或 unix:PATH。加上 --resume，链路断了就另接一条继续 (RESUMING.md)，最多等 SECONDS 秒。
HOST is a name, an address, or unix:PATH. With --resume a lost link is replaced, for so many SECONDS (RESUMING.md).
FR2 是规范里关于帧的第 2 条。一个线程、一个 select 循环，谁也不等谁。FR2 is the second rule about frames. One thread, one select loop, no waiting."""
import base64, contextlib, getopt, getpass, hashlib, json, os, random, re, secrets, select, signal, socket, ssl, struct, sys, time

OPEN, OPENED, WINDOW, EOF, SIGNAL, RESIZE, NOTICE, EXIT, CLOSE, STDIN, STDOUT, STDERR = SESSION = *range(1, 10), 16, 17, 18  # FR5
HELLO, WELCOME, ACK, PING, PONG, GOODBYE, ERROR, PAIR = LINK = range(0x81, 0x89)
JSON = {OPEN: 65536, OPENED: 8192, SIGNAL: 256, RESIZE: 256, NOTICE: 8192, EXIT: 16384, CLOSE: 8192,  # 最多几字节 the most bytes
        HELLO: 8192, WELCOME: 16384, GOODBYE: 8192, ERROR: 8192, PAIR: 4096}
REASON = {str: "code message key"}  # CO3
TYPES = {WELCOME: {int: "received resend hold channels uptime_ms", str: "user software", bytes: "home"},  # JS2: 字段的类型 of fields
         OPENED: {int: "pid", bytes: "tty"}, NOTICE: {int: "grace_ms", str: "notice message", dict: "exit"}, CLOSE: REASON, GOODBYE: REASON, ERROR: REASON,
         EXIT: {int: "code duration_ms user_ms system_ms max_rss_kib", str: "how signal", bool: "core", list: "left", bytes: "dir old_dir"}}
SIZE = {WINDOW: 8, EOF: 1, ACK: 8, PING: 8, PONG: 8}  # FR5
HEADER, MAX, START, MOST = struct.Struct(">IBBHI"), 65536, 262144, 4 << 20  # FR1, FR2, CH5; MOST: 窗口、留底最大 our window and resend at most
AGAIN = "stale_epoch key_not_authorized login_timeout too_many_sessions too_many_failures shutting_down"  # CO1: 会话还在 it is left
OVER = {"session_ended": "the session was ended, or the key may no longer log in",  # RE3, RE4, RE5: 会话没了 it is gone
        "session_expired": "nobody came back to the session in time",
        "session_unknown": "the daemon does not know the session: it was restarted, or has forgotten it"}
class Failure(Exception): """(说明, 代码)：有代码是对端违规，也要告诉它。(text, code): with a code the peer broke a rule, and is told (FR7)."""

def check(value, depth=1):  # JS1: 最多 8 层 at most 8 deep; JS2: 没有 NUL no NUL; JS4: 63 位 bits
    if type(value) is str and "\0" in value or type(value) is int and abs(value) >= 1 << 63: raise ValueError("value")
    if type(value) in (dict, list) and depth > 8: raise ValueError("depth")
    for part in value.values() if type(value) is dict else value if type(value) is list else (): check(part, depth + 1)

def fits(kind, value):  # JS3: 字节串是文本，或 {"b64": …} bytes are text, or that
    if kind is bytes and type(value) is dict: return list(value) == ["b64"] and base64.b64decode(value["b64"], validate=True) is not None
    return type(value) is (str if kind is bytes else kind)

def parse(kind, body):  # JS1, JS2: 比 json 模块严 stricter than the json module
    def strict(pairs):  # 重复的键、别样的键 a key twice, a key of another form
        if len(dict(pairs)) == len(pairs) and all(re.fullmatch("[a-z0-9_]+", k) for k, _ in pairs): return dict(pairs)
        raise ValueError("keys")
    with contextlib.suppress(ValueError, TypeError, RecursionError):  # int("1.5"), 孤立的代理项 a lone surrogate: ValueError
        value = json.loads(body.decode(), object_pairs_hook=strict, parse_constant=int, parse_float=int)
        check(value)
        right = type(value) is dict and all(fits(of, value[key]) for of, keys in TYPES.get(kind, {}).items() for key in keys.split() if key in value)
        if right and json.dumps(value, ensure_ascii=False).encode(): return value
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

def connect(host, port, pem, host_key, timeout):
    if host.startswith("unix:"):  # CA3: 没有 TLS，由内核说对端是谁 no TLS, the kernel says who is at the other end
        link = socket.socket(socket.AF_UNIX); link.settimeout(timeout); link.connect(host[5:])
        if (uid := struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]) in (0, os.getuid()): return link
        raise Failure(f"the socket's other end is uid {uid}")
    if not host_key or not pem: raise Failure("over TCP both --host-key and --pem are needed")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # CA1, CA2; 不给 server_hostname 就没有 SNI without server_hostname: no SNI
    tls.check_hostname, tls.verify_mode, tls.minimum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3
    tls.set_alpn_protocols(["minissh/1"]); tls.load_cert_chain(pem)
    link = tls.wrap_socket(socket.create_connection((host, port), timeout))  # CA4: 报 ACCESS_DENIED 是连接太多 too many connections
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # 小帧马上走 small frames leave at once
    if link.selected_alpn_protocol() != "minissh/1": raise Failure("the other end does not speak minissh/1")
    if (found := fingerprint(link.getpeercert(True))) == host_key: return link  # ID4: 第一帧之前 before the first frame
    raise Failure(f"the host key is {found}, not the one expected")

def say(*words): print("minissh.py:", *words, file=sys.stderr)

class Client:
    typing, live, next = True, set(), OPENED  # live: 没有 EOF 的输出 outputs without EOF
    credit, used, window, granted, got, full = START, 0, START, START, 0, 0  # CH5: STDIN 准许、已发；输出 output: granted 准许, got 已收
    epoch, peer, sent, acked, received, told = 0, -1, 0, 0, 0, 0  # SE4: 会话帧的总数 totals of session frames; peer: 对端的 resend
    cut, since, pause, retry, why, refused = False, 0, 0, 0, "no answer", None  # cut: 说过断了 the user was told; since: 从何时起在等 when waiting began
    def __init__(self, where, user, command, hold):
        self.where, self.user, self.name, self.hold, self.resend = where, user, secrets.token_hex(32), hold, MOST if hold else 0
        self.kept, self.screen = bytearray(), {1: bytearray(), 2: bytearray()}  # kept: 没被确认的会话帧 not acknowledged (RE2)
        self.first = self.last = time.monotonic()  # last: 最后听到守护进程 when the daemon was last heard
        self.begin(self.dial(20))
        try: self.send(OPEN, {"service": "exec", "command": command.decode()})  # EX1; SE3: 第一条链路不等 WELCOME the first link does not wait
        except UnicodeDecodeError: self.send(OPEN, {"service": "exec", "command": {"b64": base64.b64encode(command).decode()}})  # JS3
    def dial(self, timeout):  # RE7: 建链要几个往返，两倍足够 this takes a few round trips: twice as long is ample
        start, link = time.monotonic(), connect(*self.where, timeout)
        self.patience = max(1, 2 * (time.monotonic() - start)); link.setblocking(False)
        return link
    def begin(self, link):  # SE1: 从 HELLO 开始；SE4: 旧链路的半帧作废 half a frame of the old link counts nothing
        self.link, self.epoch, self.up, self.into, self.pong, self.broken = link, self.epoch + 1, False, b"", None, 0
        self.out, self.queue = bytearray(), bytearray()  # 马上走的，和排队的 what leaves at once, and what waits for its turn
        self.heard, self.asked, self.told = time.monotonic(), 0, self.received
        create = self.peer < 0 and self.heard - self.first < 600  # RE4: 之后它可能忘了 later it may have forgotten
        self.send(HELLO, {"protocol": "minissh/1", "session": self.name, "epoch": self.epoch, "create": create, "received": self.received,
                          "user": self.user, "resend": self.resend, "hold": self.hold, "channels": 0})
    def send(self, kind, body, flags=0):  # FR4: 整帧进缓冲，select 准写才写 whole frames wait here until select lets them go
        body = json.dumps(body, ensure_ascii=False).encode() if type(body) is dict else body
        frame = HEADER.pack(len(body), kind, flags, 0, 0 if kind in LINK else 1) + body
        line = self.queue if kind in (*SESSION, GOODBYE) else self.out  # ACK 不等数据 ACK does not wait for data (RE1)
        line += frame
        if kind in SESSION: self.sent += 1
        if kind in SESSION and self.resend: self.kept += frame
    def acknowledge(self, count, code):  # RE1, RE3: 对端收到了就不用留 what the peer has received need not be kept
        if not self.acked <= count <= self.sent: raise Failure(f"{count} after {self.acked}, {self.sent} were sent", code)
        for _ in range(count - self.acked): del self.kept[:12 + int.from_bytes(self.kept[:4], "big")]
        self.acked = count
    def welcome(self, body):
        received, peer, hold, uptime, channels = numbers = [body.get(key, 0) for key in ("received", "resend", "hold", "uptime_ms", "channels")]
        if min(numbers) < 0 or 0 < peer < START or channels < 16: raise Failure("WELCOME", "bad_frame")  # JS4, SE2
        if self.peer < 0 and self.epoch > 1 and uptime < 1000 * (time.monotonic() - self.first):  # RE5
            raise Failure(f"the daemon was restarted; {self.outcome()}")  # 重发 OPEN 可能再跑一遍 OPEN again may start it twice
        self.acknowledge(received, "resume_mismatch")
        if self.epoch > 1: self.queue += self.kept  # RE3: 原样、按序重发 again, identically and in order
        if self.cut: say("the link is back")
        self.up, self.cut, self.last = True, False, time.monotonic()
        self.peer, self.hold = peer, min(self.hold, hold) if peer else 0  # RE4: 它不留底，就续不上 without its resend nothing is kept
    def outcome(self, since="how it ended is unknown"):  # RE8: 只说知道的 no more than is known
        return "the command may have been started or not" if self.next == OPENED else f"the command was started, {since}"
    def lost(self):
        if self.next == CLOSE: self.next, self.out, self.queue = None, b"", b""  # 结果已知 the outcome has come
        elif not self.hold: raise Failure(f"the link is lost; {self.outcome()}")  # SE5
        elif not self.cut: self.cut = say("the link is lost, trying again") or True
        self.link = self.link.close()
    def receive(self, data):  # TCP 没有包：凑齐了才是一帧 TCP has no packets: a frame is there when all of it is (FR4)
        if not data: return self.lost()
        self.heard, self.into = time.monotonic(), self.into + data
        if self.up: self.last, self.pause, self.retry = self.heard, 0, 0
        while len(self.into) >= 12 and self.next:  # next: OPENED → EOF, EOF → EXIT → CLOSE → None (CH4)
            length, kind, flags, reserved, channel = HEADER.unpack_from(self.into)
            if length <= MAX and kind not in (*SESSION, *LINK): raise Failure(hex(kind), "unknown_type")  # FR6, FR3
            if length > {**JSON, **SIZE}.get(kind, MAX): raise Failure(f"{length} bytes", "frame_too_large")  # FR2: 收载荷之前 before any payload
            if len(self.into) < 12 + length: return
            body, self.into = self.into[12:12 + length], self.into[12 + length:]
            if (reserved or flags > (kind in (STDIN, STDOUT, STDERR)) or (kind in SESSION) != (channel > 0) or length < 1 + (kind in JSON)
                    or length != SIZE.get(kind, length) or kind == EOF and body[0] not in (STDIN, STDOUT, STDERR)):
                raise Failure(hex(kind), "bad_frame")  # FR3, CH6
            body = parse(kind, body) if kind in JSON else body
            if kind in (ERROR, GOODBYE):  # CO3
                self.why, code = f"the daemon says {ascii(body)[:2000]}", str(body.get("code"))
                if kind == ERROR and self.epoch > 1 and not self.up and code in AGAIN.split(): return self.lost()
                raise Failure(self.why + (f": {OVER[code]}; {self.outcome()}" if code in OVER else ""))
            if self.up and kind == OPEN: raise Failure(str(channel), "channel_reused" if channel % 2 else "too_many_channels")  # CH1, CH2
            if self.up and channel > 1: raise Failure(str(channel), "unknown_channel")  # CH8
            due = self.live | {self.next, ACK, PING, PONG, WINDOW, CLOSE} if self.up else {WELCOME}  # 该来的 due now
            if self.next in (EOF, EXIT): due.add(NOTICE)  # CH4
            if kind not in due or kind == EOF and body[0] not in self.live: raise Failure(hex(kind), "unexpected_frame")
            if kind in SESSION: self.received += 1  # SE4: 数一个，办一个 counted and done in one step
            if kind == WELCOME: self.welcome(body)
            elif kind == ACK: self.acknowledge(int.from_bytes(body, "big") if self.resend else -1, "bad_ack")
            elif kind == OPENED: self.next, self.live = EOF, {STDOUT, STDERR}
            elif kind == EOF: self.live, self.next = self.live - {body[0]}, EOF if len(self.live) == 2 else EXIT
            elif kind == EXIT: self.next, self.exit = CLOSE, body
            elif kind == CLOSE:  # CH3, CH4: 没有 EXIT 就是拒绝或放弃 without EXIT it was refused or given up
                if self.next != CLOSE: self.refused = f"the daemon says {ascii(body)[:2000]}"
                self.next = self.send(CLOSE, {}) or self.send(GOODBYE, {})  # None: 完了 done
            elif kind == PING: self.pong = body  # SE6: 只需答最后一个 only the last must be answered
            elif kind == WINDOW and (total := int.from_bytes(body, "big")) > self.credit: self.credit = total  # CH5: 总数，不是增量
            elif kind == WINDOW: raise Failure(f"{total} after {self.credit}", "bad_window")  # 只会变大 a total, and it only grows
            elif kind in self.live:
                self.got, self.full = self.got + length, flags
                if self.got > self.granted: raise Failure(f"{self.got} of {self.granted}", "window_exceeded")
                self.screen[kind - 16] += body  # 0x11 → fd 1, 0x12 → fd 2
    def watch(self):  # RE7, RE8: 等不到回音，就在旧链路旁边另建一条 no answer: another link is made beside the old one
        now = time.monotonic()
        if self.link and (self.broken > 1 or now - self.heard > 45): self.lost()  # SE6
        if not self.next: return
        waits = not self.link or not self.up or self.kept or self.asked > self.heard
        self.since = (self.since or now) if waits else 0
        doubt = self.hold and waits and (not self.link or now - max(self.heard, self.since) > self.patience)
        if self.link and self.up and (doubt and self.asked <= self.heard or now - max(self.heard, self.asked) > 15):
            self.asked = self.send(PING, bytes(8)) or now
            return  # 先让它发出去 it leaves first
        if not doubt or now < self.retry: return
        if now - self.last > self.hold:
            raise Failure(f"gave up after {self.hold} s ({self.why}); {self.outcome('it runs until the hold is over')}")
        try: link = self.dial(5)  # 简单起见，这几秒里别的都不做 for simplicity nothing else is done in these seconds
        except (OSError, Failure) as e: link, self.why = None, e.args[0] if isinstance(e, Failure) else ascii(e)
        self.pause = min(2 * self.pause, 10) or 0.25
        self.retry = time.monotonic() + self.pause * random.uniform(0.5, 1)
        if link and self.link and select.select([self.link], [], [], 0)[0]: link.close()  # 旧链路先说话了 the old link spoke first
        elif link: self.begin(self.link and self.link.close() or link)
    def write(self, send, data):  # Ctrl-C 要等这一步做完，不然不知道写了多少 Ctrl-C waits: else nobody knows how much was written
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try: del data[:send(data[:MAX])]
        finally: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    def step(self):  # SE7: select 说行的才做，读就从不等写 only what select allows is done: reading never waits for writing
        if self.next: self.watch()
        # SE3, RE2: 没 WELCOME 或留底满了，就不发会话帧；给 CLOSE 留些余地 some room is left for CLOSE
        ready = self.next and self.link and (self.up or self.epoch == 1) and (not self.resend or len(self.kept) < self.resend - 2 * MAX)
        room = bool(ready and self.typing and self.used < self.credit and len(self.queue) < MAX)
        if self.next and self.up and len(self.out) < MAX:
            if self.pong: self.pong = self.send(PONG, self.pong)
            if self.peer > 0 and self.told < self.received:  # RE1: 马上确认最简单 to acknowledge at once is simplest
                self.told = self.send(ACK, self.received.to_bytes(8, "big")) or self.received
        while self.queue and len(self.out) < MAX:
            length = 12 + int.from_bytes(self.queue[:4], "big")
            self.out += self.queue[:length]; del self.queue[:length]
        held = self.next and type(self.link) is ssl.SSLSocket and self.link.pending()  # TLS 解好的，select 看不见 select misses these
        reads = [self.link] * bool(self.next and self.link) + [0] * room
        writes = [self.link] * bool(self.link and self.out and not self.broken) + [fd for fd in (1, 2) if self.screen[fd]]
        r, w, _ = select.select(reads, writes, [], 0 if held else 0.1 if self.hold and self.since else 5)
        try:
            if self.link in r or held: self.receive(self.link.recv(MAX))
            if self.link in w: self.write(self.link.send, self.out)
        except OSError as e:  # FR8: 写坏了，先读完对端的话 after a failed write first read what the peer has said
            self.broken += not isinstance(e, (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError))  # 回头再来 come back later
        if 0 in r and self.next and self.link:  # CH6: 用尽额度的帧带 BLOCKED; EX4: 半关 half-close
            data = os.read(0, min(MAX, self.credit - self.used))
            self.used, self.typing = self.used + len(data), bool(data)
            self.send(*(STDIN, data, self.used == self.credit) if data else (EOF, bytes([STDIN])))
        for fd in {1, 2}.intersection(w): self.write(lambda data: os.write(fd, data[:4096]), self.screen[fd])
        waiting = len(self.screen[1]) + len(self.screen[2])  # CH7: 写出去才算消费；只有窗口挡路就加倍 what is written is consumed;
        if self.full and not waiting: self.window, self.full = min(2 * self.window, MOST), 0  # grow if only the window is in the way
        total = self.got - waiting + self.window
        if self.live and ready and total - self.granted >= self.window // 2: self.granted = self.send(WINDOW, total.to_bytes(8, "big")) or total

client = None
try: options, (host, word, *words) = getopt.getopt(sys.argv[1:], "", ["port=", "pem=", "host-key=", "resume="])
except (getopt.GetoptError, ValueError): print("用法 usage:", __doc__.splitlines()[1].strip(), file=sys.stderr); sys.exit(255)
try:
    option, (user, host) = dict(options).get, re.fullmatch("(?:((?!unix:)[^@]*)@)?(.*)", host).groups()
    where = host, int(option("--port", 7422)), option("--pem"), option("--host-key")
    client = Client(where, user or getpass.getuser(), os.fsencode(" ".join([word, *words])), int(option("--resume", 0)))
    while client.next or (client.out or client.queue) and not client.broken or any(client.screen.values()): client.step()
    if client.refused: raise Failure(client.refused)
    how, code, name = map(client.exit.get, ("how", "code", "signal"))  # EX6
    if how == "exited" and type(code) is int and 0 <= code < 256: sys.exit(code)
    if how == "signalled": sys.exit(128 + (int(name) if re.fullmatch("[0-9]{1,2}", str(name)) else signal.Signals[f"SIG{name}"]))
    raise Failure(f"the command did not end by itself: {how!a}")
except (Failure, OSError, ValueError, KeyError, KeyboardInterrupt) as e:
    say(" ".join(e.args[::-1]) if isinstance(e, Failure) else ascii(e))
    if client and not client.link and not isinstance(e, Failure): say(client.outcome("it runs until the hold is over"))  # RE8
    with contextlib.suppress(OSError):
        if client and client.link and client.next and (not isinstance(e, Failure) or e.args[1:]):
            client.queue.clear()
            if isinstance(e, Failure): client.send(ERROR, {"code": e.args[1], "message": e.args[0]})
            else: client.send(GOODBYE, {})  # SE5: 不说的话，命令会等我们回来 without it the command would wait for us
            # FR7: 说、半关、再读一会儿 speak, half-close, read on for a while
            client.link.settimeout(2); client.link.sendall(client.out + client.queue); client.link.shutdown(socket.SHUT_WR)
            while client.link.recv(MAX): pass
        for fd in client.screen if client else (): os.write(fd, client.screen[fd])  # 收到的都写完 what has arrived is written
    sys.exit(255)
