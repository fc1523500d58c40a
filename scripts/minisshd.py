#!/usr/bin/env python3
"""minissh 的第二个守护进程，只照规范写成，只用标准库。A second minissh daemon, from the pages, with the standard library only.
    python3 minisshd.py [--login-timeout SECONDS] [--subsystem NAME=COMMAND] unix:PATH
只在一个 Unix 套接字上服务自己的账户和 root (CA3)，resend 是 0：链路断了，命令就停。没有终端、文件、转发。
It serves its own account and root on a Unix socket (CA3), with resend 0: a lost link stops what runs.
No terminals, files or forwarding. FR2 是规范里关于帧的第 2 条。FR2 is the second rule about frames.
一个线程，所有描述符都不阻塞：每一圈先读链路，再走每个通道，最后写链路；selector 只管叫醒。
One thread, and no descriptor blocks: each round reads a link, takes its channels a step on and writes the link;
the selector only wakes it. 已知的不足 a known flaw: 挂住的 NFS 会挡住大家 a directory that hangs keeps everybody waiting."""
import base64, collections, errno, getopt, json, os, pwd, re, selectors, signal, socket, stat, struct, sys, time
from subprocess import PIPE, Popen

OPEN, OPENED, WINDOW, EOF, SIGNAL, RESIZE, NOTICE, EXIT, CLOSE, STDIN, STDOUT, STDERR = *range(1, 10), 16, 17, 18  # FR5
HELLO, WELCOME, ACK, PING, PONG, GOODBYE, ERROR, PAIR = range(0x81, 0x89)
HEADER, MAX = struct.Struct(">IBBHI"), 65536  # FR1, FR2
SIZES = {  # FR5: 最少和最多几字节 the least and the most bytes of each type
    OPEN: (2, 65536), OPENED: (2, 8192), WINDOW: (8, 8), EOF: (1, 1), SIGNAL: (2, 256), RESIZE: (2, 256), NOTICE: (2, 8192),
    EXIT: (2, 16384), CLOSE: (2, 8192), STDIN: (1, 65536), STDOUT: (1, 65536), STDERR: (1, 65536), HELLO: (2, 8192), WELCOME: (2, 16384),
    ACK: (8, 8), PING: (8, 8), PONG: (8, 8), GOODBYE: (2, 8192), ERROR: (2, 8192), PAIR: (2, 4096)}
FLAGGED = {STDIN, STDOUT, STDERR, PING}  # CH6, RE6: 可以带 0x01 的 these may have 0x01
OURS = {OPENED, NOTICE, EXIT, STDOUT, STDERR, WELCOME}  # FR5: 只从守护进程来 from a daemon alone
START, MOST = 262144, 1 << 20  # CH5, CH7: 窗口从哪起，到哪止 where windows begin, and our memory budget for one
CHANNELS = 16  # CH2: 16 个最大的 OPEN 正好 1,048,576 字节 16 of the largest OPENs are 1,048,576 bytes
SESSIONS, COMMANDS, LOGINS, MEMORY = 32, 64, 32, 4096  # SE10: 每个 uid for each uid; MEMORY: 记得的旧会话 ended ones
SIGNALS = "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP TSTP WINCH".split()  # EX3
VARIABLES = rb"LANG|LC_[^=]*|COLORTERM|NO_COLOR|GIT_PROTOCOL"  # EX1
CHARACTERS = set("vintr vquit verase vkill veof veol veol2 vstart vstop vsusp vdsusp vreprint vwerase vlnext vflush vswtch vstatus "
                 "vdiscard".split())  # TE1, RFC 4254 §8
SWITCHES = set("ignpar parmrk inpck istrip inlcr igncr icrnl iuclc ixon ixany ixoff imaxbel iutf8 isig icanon xcase echo echoe echok echonl "
               "noflsh tostop iexten echoctl echoke pendin opost olcuc onlcr ocrnl onocr onlret cs7 cs8 parenb parodd".split())
TARGET, REASON = {"host": bytes, "port": int, "path": bytes}, {"code": str, "message": str}  # FO1, CO3
WINDOW_SIZE = dict.fromkeys(("rows", "cols", "width_px", "height_px"), int)  # TE1, TE2
FIELDS = {  # JS2: 每个字段的类型，类型不对是 bad_json the type of each field; another one is bad_json
    HELLO: {"protocol": str, "session": str, "epoch": int, "create": bool, "received": int, "user": str, "resend": int,
            "hold": int, "channels": int, "keys": [str], "software": str, "auth": str},  # SE1
    OPEN: {"service": str, "command": bytes, "length": int, "argv": [bytes], "shell": bool, "env": [(bytes, bytes)],
           "pty": {"term": bytes, **WINDOW_SIZE, "modes": {"*": int}}, "dir": bytes, "old_dir": bytes,
           "report_dir": bool, "timeout_ms": int, "agent": int, "name": bytes,  # EX1, SU1
           "connect": TARGET, "listen": TARGET, "accept": bool, "in": int,  # FO1
           "files": {"mode": str, "target": bytes, "sources": [bytes], **dict.fromkeys(  # FI1
               "folder make preserve checksum sync recurse resume total single".split(), bool)}},
    SIGNAL: {"signal": str}, RESIZE: WINDOW_SIZE, CLOSE: REASON, GOODBYE: REASON, ERROR: {**REASON, "key": str}}  # SE2: key

class Failure(Exception): """(代码, 说明)：对端违规，或对 HELLO 的拒绝。(code, text): a violation, or what refuses a HELLO (FR7)."""
class Refused(Exception): """(代码, 说明)：这个通道不开。(code, text): the CLOSE that refuses a channel (CH3)."""

def number(text):  # JS4: 63 位以内 within 63 bits
    if len(text) < 21 and -1 << 63 <= int(text) < 1 << 63: return int(text)
    raise ValueError("a number that is too large")

def refuse(text): raise ValueError("a number that is not whole")  # JS4: 1.0, 1e3, NaN

def unique(pairs):  # JS2: 重复的键、别样的键 a key twice, a key of another form
    if len(dict(pairs)) < len(pairs): raise ValueError("a key is there twice")
    if not all(re.fullmatch("[a-z0-9_]+", key) for key, _ in pairs): raise ValueError("a key of another form")
    return dict(pairs)

def search(value, depth):  # JS1, JS2: 连不认识的键下面也查 also under keys that are not known
    if type(value) is str and "\0" in value: raise ValueError("NUL")
    if type(value) is str: value.encode()  # 孤立的代理项 a lone surrogate: UnicodeEncodeError
    if type(value) in (dict, list) and depth == 8: raise ValueError("nested deeper than 8")
    for v in value.values() if type(value) is dict else value if type(value) is list else (): search(v, depth + 1)

def typed(value, kind):  # JS2, JS3: bytes 是字符串或 {"b64":…} a string or {"b64":…}; (T, T) 是两个 are two
    if kind is bytes and type(value) is str: return value.encode()
    if kind is bytes and type(value) is dict and type(value.get("b64")) is str:
        data = base64.b64decode(value["b64"], validate=True)
        if b"\0" not in data and base64.b64encode(data).decode() == value["b64"]: return data
    if type(kind) is list and type(value) is list: return [typed(v, kind[0]) for v in value]
    if type(kind) is tuple and type(value) is list and len(value) == len(kind): return list(map(typed, value, kind))
    if type(kind) is dict and type(value) is dict:
        return {k: typed(v, kind.get(k) or kind["*"]) for k, v in value.items() if k in kind or "*" in kind}
    if type(value) is kind: return value  # bool 不是 int；null 什么都不是 a bool is not an int, and null is nothing
    raise ValueError("a field of another type")

def filled(kind, fields):  # JS2: 缺了就是 0、假、空 what is missing is 0, false or empty
    return {**{k: [] if type(t) is list else t() for k, t in FIELDS[kind].items() if type(t) is not dict}, **fields}

def parse(kind, body):  # JS1, JS2
    try:
        value = json.loads(body.decode(), object_pairs_hook=unique, parse_int=number, parse_float=refuse, parse_constant=refuse)
        if type(value) is not dict: raise ValueError("not an object")
        search(value, 0)
        return typed(value, FIELDS[kind])
    except (ValueError, RecursionError) as e: raise Failure("bad_json", f"the payload: {e}"[:200])

def check(length, kind, flags, reserved, channel):  # FR2, FR3: 按这个次序，在收载荷之前 in this order, ahead of any payload
    if length > MAX: raise Failure("frame_too_large", "a frame of more than 65,536 bytes")
    if kind not in SIZES: raise Failure("unknown_type", "a frame of an unknown type")
    if length > SIZES[kind][1]: raise Failure("frame_too_large", "a frame that is too large for its type")
    if length < SIZES[kind][0]: raise Failure("bad_frame", "a frame that is too small for its type")
    if reserved != 0: raise Failure("bad_frame", "the reserved field is not 0")
    if flags > (kind in FLAGGED): raise Failure("bad_frame", "a flag that is unknown here")
    if (channel == 0) != (kind >= 0x80): raise Failure("bad_frame", "a link frame on a channel, or a session frame on none")

def members(leader):  # EX7: 一个内核会话的活进程 the living processes of a kernel session
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", "rb") as f: line = f.read()
        except OSError: continue  # 刚刚没了 it has just ended
        state, _, _, session = line[line.rindex(b")") + 2:].split()[:4]
        if int(session) == leader and state not in b"ZX": found[int(pid)] = line[line.index(b"(") + 1:line.rindex(b")")]
    return found

def kill(send, target, name):  # 已经没了也无妨 it may have ended meanwhile
    try: send(target, getattr(signal, "SIG" + name))
    except (ProcessLookupError, PermissionError): pass

def text(data):  # JS3
    try: return data.decode()
    except UnicodeDecodeError: return {"b64": base64.b64encode(data).decode()}

selector, alarms = selectors.DefaultSelector(), []  # alarms: 最迟何时醒 when to wake at latest
links, commands = set(), set()  # commands: 在跑或待跑的通道 channels that run something, or wait to
sessions, ended = {}, collections.defaultdict(dict)  # (uid, 名字 name) → Link; uid → {名字 name: (何时忘 until, 代码 code)}
account, started, shutdown = pwd.getpwuid(os.getuid()), time.monotonic(), None  # shutdown: 何时停下一切 when all is stopped

def watch(file, events):  # 改动才告诉 selector the selector is told of changes alone
    known = selector.get_map().get(file.fileno())
    if known and not events: selector.unregister(file.fileno())
    elif known and known.events != events: selector.modify(file.fileno(), events)
    elif not known and events: selector.register(file.fileno(), events)

class Channel:
    proc = how = deadline = None  # how: 为何被停 why it was stopped
    over = closed = eof = told = reaped = False  # over: 我们的 CLOSE 在排队或已走 ours is queued or gone; closed: 对端的来了 theirs has come
    need = ended = blocked = got = used = 0  # CH5: got 收了多少 STDIN; used 发了多少输出 output sent
    window = granted = credit = START
    def __init__(self, link, number):
        self.link, self.number, self.uid = link, number, link.uid
        self.queue, self.signals, self.left = collections.deque(), [], {}  # queue: 要走的控制帧，只有几个 a few control frames
        self.head, self.stdin, self.pipes, self.eofs = bytearray(), bytearray(), {}, set()
        self.held = {STDOUT: bytearray(), STDERR: bytearray()}  # 读来还没发的，每路至多 64 KiB read and not sent yet
    def put(self, kind, body): self.queue.append((kind, body if type(body) is bytes else json.dumps(body).encode()))
    def refuse(self, code, message):  # CH3, EX8
        commands.discard(self)
        self.over = self.put(CLOSE, {"code": code, "message": message}) or True
    def open(self, o):
        o = filled(OPEN, o)
        if o["service"] == "subsystem": o = self.subsystem(o)
        elif o["service"] != "exec": raise Refused("unknown_service", "this daemon has the services exec and subsystem alone")
        self.request = o
        given = [o["command"] != b"", o["length"] != 0, o["argv"] != [], o["shell"]]
        if sum(given) != 1: raise Refused("bad_request", "exactly one of command, length, argv and shell is needed")  # EX1
        if not 0 <= o["length"] <= 1 << 20: raise Refused("bad_request", "length is 0 to 1,048,576")
        if not 0 <= o["timeout_ms"] <= 10**9: raise Refused("bad_request", "timeout_ms is 0 to 10^9")
        if o["agent"] != 0 or o["in"] < 0: raise Refused("bad_request", "there is no such listener")  # FO9, JS4
        self.check_pty(**o.get("pty", {}))
        if shutdown: raise Refused("shutting_down", "the daemon is being stopped")
        if sum(c.uid == self.uid for c in commands) >= COMMANDS: raise Refused("too_many_commands", "your uid has too many")  # SE10
        commands.add(self)
        self.need = o["length"]
        if not self.need: self.start(o["command"])
    def subsystem(self, o):  # SU1, SU2: 名字代表一条命令 a name stands for a command
        if not o["name"]: raise Refused("bad_request", "name is missing")
        if o["name"] not in subsystems: raise Refused("service_refused", "there is no such subsystem")
        return filled(OPEN, {"command": subsystems[o["name"]], **{k: o[k] for k in ("pty", "env", "timeout_ms", "agent", "in") if k in o}})
    def check_pty(self, term=b"", rows=0, cols=0, width_px=0, height_px=0, modes={}):  # TE1
        if not re.fullmatch(rb"[A-Za-z0-9._+:@-]{0,64}", term): raise Refused("bad_request", "term is not a terminal's name")
        if not all(0 <= n <= 65535 for n in (rows, cols, width_px, height_px)): raise Refused("bad_request", "a size is 0 to 65,535")
        most = lambda name: 255 if name in CHARACTERS else 2**32 - 1
        if len(modes) > 128: raise Refused("bad_request", "there are more than 128 modes")
        if not all(0 <= n <= most(m) for m, n in modes.items() if m in CHARACTERS | SWITCHES): raise Refused("bad_request", "a mode is out of range")
    def start(self, command):
        o, home, shell = self.request, os.fsencode(account.pw_dir), os.fsencode(account.pw_shell or "/bin/sh")
        words = [shell, b"-c", command] if command else o["argv"] or [b"-" + os.path.basename(shell)]  # EX1
        env = {b"HOME": home, b"USER": account.pw_name, b"LOGNAME": account.pw_name, b"SHELL": shell,
               b"PATH": os.environb.get(b"PATH", b"/usr/local/bin:/usr/bin:/bin")}
        env.update((name, value) for name, value in o["env"] if re.fullmatch(VARIABLES, name))
        if o["old_dir"]: env[b"OLDPWD"] = o["old_dir"]
        where = os.path.join(home, o["dir"])  # 没给或相对的，从家里算起 none, or relative: from home
        if not os.path.isdir(where) or not os.access(where, os.X_OK): raise Refused("no_directory", "dir cannot be entered")
        if b"\0" in command: raise Refused("bad_request", "NUL in the command")  # JS3
        if shutdown: raise Refused("shutting_down", "the daemon is being stopped")
        try: proc = Popen(words, executable=shell if o["shell"] else None, bufsize=0, stdin=PIPE, stdout=PIPE, stderr=PIPE,
                                     cwd=where, env=env, start_new_session=True)  # EX7: 自己的内核会话 a kernel session of its own
        except OSError as e: raise Refused("start_failed", f"the program could not be started: {e.strerror}")
        proc.returncode = 0  # 我们自己收尸 it is reaped here, not by subprocess
        self.proc, self.pid, self.begun = proc, proc.pid, time.monotonic()
        self.pipes = {STDIN: proc.stdin, STDOUT: proc.stdout, STDERR: proc.stderr}
        for pipe in self.pipes.values(): os.set_blocking(pipe.fileno(), False)
        if o["timeout_ms"]: self.deadline = self.begun + o["timeout_ms"] / 1000
        self.put(OPENED, {"pid": self.pid})  # EX2
        if "pty" in o: self.put(NOTICE, {"notice": "pty_refused", "message": "this daemon has no terminals"})  # TE1
        for name in self.signals: self.signal(name)

    # 从对端来的 what comes from the client
    def data(self, body, blocked):
        if self.eof: raise Failure("unexpected_frame", "STDIN after its EOF")  # CH4
        self.got, self.blocked = self.got + len(body), blocked
        if self.got > self.granted: raise Failure("window_exceeded", "more STDIN than was granted")  # CH5
        if not self.over: self.stdin += body
    def end(self, kind):
        if kind != STDIN: raise Failure("unexpected_frame", "EOF of an output from the opener")
        if self.eof: raise Failure("unexpected_frame", "a second EOF")  # CH4
        self.eof = True
    def grant(self, total):
        if total <= self.credit: raise Failure("bad_window", "WINDOW only grows")  # CH5
        self.credit = total
    def signal(self, name):  # EX3
        if self.over or self.reaped: return  # 已经结束 it has ended
        if not self.proc and name not in self.signals: self.signals = (self.signals + [name])[:16]  # CH10: 等它开始 until it begins
        elif not self.proc: return
        elif name not in SIGNALS: self.notice({"notice": "signal_refused", "message": "there is no such signal"})
        elif name == "KILL": [kill(os.kill, pid, "KILL") for pid in members(self.pid)]
        else: kill(os.killpg, self.pid, name)
    def close(self):  # CH9: 不要了 no longer wanted
        self.closed = True
        if self.proc: self.stop("cancelled")
        elif not self.over: self.refuse("cancelled", "nothing had begun")
    def notice(self, body):  # CH10: 一样的只留一个 one of equal ones
        if not self.over and (NOTICE, json.dumps(body).encode()) not in self.queue: self.put(NOTICE, body)

    # 结束 the end
    def stop(self, how):  # EX7; EX5: 自己结束了的不必停 nothing is stopped that has ended by itself
        if self.how or self.over or self.look(): return
        self.how, self.kill_at = how, time.monotonic() + 5
        self.shut(STDIN)
        kill(os.killpg, self.pid, "HUP"); kill(os.killpg, self.pid, "CONT")
    def look(self):  # 先不收尸：进程号还归它 not reaped yet, so that the pid remains its own
        if not self.ended and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT): self.ended = time.monotonic()
        return self.ended
    def dead(self, now):  # EX7: 5 秒后 KILL，直到一个不剩 after 5 seconds KILL, until none is left
        left = members(self.pid)
        if not left and self.look(): return True
        if now >= self.kill_at: [kill(os.kill, pid, "KILL") for pid in left]
        if now >= self.kill_at + 5: self.left = left; return True  # 停不了的 what cannot be stopped
        alarms.append(now + 0.05)
    def reap(self):
        self.reaped, (pid, status, usage) = True, os.wait4(self.pid, os.WNOHANG)
        number, names = os.WTERMSIG(status), {s.value: s.name[3:] for s in signal.Signals}
        self.outcome = exit = {"how": self.how or ("signalled" if os.WIFSIGNALED(status) else "exited"),  # EX6
                               "duration_ms": int(1000 * ((self.ended or time.monotonic()) - self.begun)),
                               "user_ms": int(1000 * usage.ru_utime), "system_ms": int(1000 * usage.ru_stime), "max_rss_kib": usage.ru_maxrss}
        if os.WIFSIGNALED(status): exit["signal"] = names.get(number, str(number))  # 没有名字就给号码 its number, if it has no name
        elif pid: exit["code"] = os.WEXITSTATUS(status)
        if os.WIFSIGNALED(status) and os.WCOREDUMP(status): exit["core"] = True
        if self.left: exit["left"] = [{"pid": pid, "name": text(name)} for pid, name in self.left.items()]
        if len(json.dumps(exit)) > SIZES[EXIT][1]: del exit["left"]
    def finish(self):  # CH4: EOF, EOF, EXIT, CLOSE
        for kind in list(self.pipes): self.shut(kind)
        for kind in {STDOUT, STDERR} - self.eofs: self.put(EOF, bytes([kind]))
        self.put(EXIT, self.outcome)
        self.over = self.put(CLOSE, {}) or True
        commands.discard(self)
    def shut(self, kind):
        pipe = self.pipes.pop(kind, None)
        if pipe: watch(pipe, 0); pipe.close()
    def abandon(self):  # SE5: 链路没了 the link has gone
        self.link = None
        if self.proc: self.stop("hung_up")
        else: commands.discard(self)

    # 每一圈 each round
    def step(self, now):
        self.flush()
        if not self.over: self.advance(now)
        self.flush()
    def advance(self, now):
        if not self.proc: self.gather()
        if self.proc: self.feed()
        if self.link and self.link.room() and not self.over and not self.closed and not self.eof: self.widen()
        if not self.proc: return
        if self.deadline and now >= self.deadline and not self.how: self.stop("deadline")
        if self.deadline and not self.how: alarms.append(self.deadline)
        dry = self.drain(STDOUT) & self.drain(STDERR)  # 两路都要走 both are taken on
        if not self.reaped and (self.dead(now) if self.how else self.look()): self.reap()
        if not self.reaped: return
        if self.how and dry: self.shut(STDOUT); self.shut(STDERR)  # setsid() 逃走的不等 what has escaped is not waited for
        if self.closed or not self.link or dry and not {STDOUT, STDERR} & self.pipes.keys(): self.finish()
        elif dry and now >= self.ended + 0.1 and not self.told:  # EX5: 结束了，输出却还开着 it has ended, its output has not
            self.told = self.notice({"notice": "output_held", "exit": self.outcome}) or True
        elif dry and not self.told: alarms.append(self.ended + 0.1)
    def flush(self):
        while self.queue and self.link and self.link.room(): self.link.send(*self.queue.popleft(), self.number)
    def gather(self):  # EX1: STDIN 的开头是命令 the first bytes of STDIN are the command
        n = self.need - len(self.head)
        self.head += self.stdin[:n]; del self.stdin[:n]
        try:
            if len(self.head) == self.need: self.start(bytes(self.head)); self.head.clear()
            elif self.eof: raise Refused("bad_request", "STDIN ended ahead of length")  # EX4
        except Refused as e: self.refuse(*e.args)
    def feed(self):
        pipe = self.pipes.get(STDIN)
        try:
            if pipe and self.stdin: del self.stdin[:os.write(pipe.fileno(), self.stdin[:MAX])]
        except BlockingIOError: pass
        except OSError: self.shut(STDIN)  # EPIPE: 它不读了 it reads no more
        if self.eof and not self.stdin: self.shut(STDIN)  # EX4
        if STDIN in self.pipes: watch(pipe, selectors.EVENT_WRITE if self.stdin else 0)
        else: self.stdin.clear()  # EX4: 没读的就扔 what it leaves unread is discarded
    def widen(self):  # CH7: 给命令的才算消费；只有窗口挡路就加倍 what the command took is consumed; grow if only the window is in the way
        consumed = self.got - len(self.stdin)
        if self.blocked and not self.stdin: self.window, self.blocked = min(2 * self.window, MOST), 0
        if consumed + self.window - self.granted < self.window // 2: return
        self.granted = consumed + self.window
        self.link.send(WINDOW, self.granted.to_bytes(8, "big"), self.number)
    def drain(self, kind):  # 返回真：没有可发的，也没有可读的 true: there is nothing to send and nothing to read
        pipe, held, dry = self.pipes.get(kind), self.held[kind], False
        try:
            if pipe and not held and not (data := os.read(pipe.fileno(), MAX)): self.shut(kind)
            elif pipe and not held: held += data; alarms.append(0)  # 再看一眼 it is looked at again
        except BlockingIOError: dry = True
        self.flush()
        if self.closed or not self.link: held.clear()  # CH9: 不要了的输出扔掉 unwanted output is discarded
        while held and self.used < self.credit and not self.queue and self.link.room():  # CH5
            part = bytes(held[:min(MAX, self.credit - self.used)])
            self.used += len(part); del held[:len(part)]
            self.link.send(kind, part, self.number, self.used == self.credit)  # CH6: BLOCKED
        if kind in self.pipes: watch(pipe, 0 if held else selectors.EVENT_READ)
        elif not held and kind not in self.eofs and not self.closed: self.eofs.add(kind); self.put(EOF, bytes([kind]))
        return not held and (dry or kind not in self.pipes)

class Link:
    session, closing, half, pong, asked, broken = None, None, False, None, False, False
    last = received = told = epoch = resend = 0  # last: 上一个通道号 the last channel's number (CH1)
    patience = 45  # SE6
    def __init__(self, sock, uid):
        self.sock, self.uid, self.channels, self.into, self.out = sock, uid, {}, bytearray(), bytearray()
        self.begun = self.heard = self.moved = time.monotonic()
    def room(self): return len(self.out) < MAX  # 有空位才造帧：等着的就有限 frames are made when there is room: what waits is bounded
    def send(self, kind, body, channel=0, flags=0):
        body = body if type(body) is bytes else json.dumps(body).encode()
        if not self.out: self.moved = time.monotonic()
        self.out += HEADER.pack(len(body), kind, flags, 0, channel) + body
    def step(self, now):
        try:
            for _ in range(4):  # SE5: 先读到头，半关的连 WELCOME 也不回 read on first: one that half-closes gets not even WELCOME
                if self in links and not self.read(now): break
            if self in links: self.timers(now)
        except Failure as e: self.fail(*e.args)
        for c in list(self.channels.values()):
            c.step(now)
            if c.closed and c.over and not c.queue: del self.channels[c.number]  # CH2: 两边的 CLOSE 都走了 CLOSE went both ways
        if self in links: self.speak(now)
    def read(self, now):  # SE7: 读从不等写 reading never waits for writing
        try: data = self.sock.recv(MAX if self.session or self.closing else 16384 - len(self.into))  # ID8
        except BlockingIOError: return False
        except OSError: data = b""
        if self.closing:
            self.half = self.half or not data
            return bool(data)
        if not data: return self.lost()  # SE5
        self.into += data
        self.heard, self.asked = now, False  # SE6: 什么都算活着 any byte is a sign of life
        while len(self.into) >= 12 and not self.closing and self in links:
            length, kind, flags, reserved, channel = HEADER.unpack_from(self.into)
            check(length, kind, flags, reserved, channel)
            if not self.session and kind != HELLO: raise Failure("unexpected_frame", "the first frame is HELLO")  # ID8
            if self.session and kind in OURS | {HELLO, PAIR}: raise Failure("unexpected_frame", "a frame from the wrong side, or again")  # FR6
            if len(self.into) < 12 + length: break
            body = bytes(self.into[12:12 + length]); del self.into[:12 + length]
            if kind == EOF and body[0] not in (STDIN, STDOUT, STDERR): raise Failure("bad_frame", "EOF of what is not data")  # FR5
            self.frame(kind, flags, channel, parse(kind, body) if kind in FIELDS and kind >= 0x80 else body)
        return True
    def frame(self, kind, flags, channel, body):
        if kind == HELLO: self.hello(body)
        elif kind == PING: self.ping(body, 86400 if flags else 45)  # SE6; RE6: 停住的客户端等它一天 a stopped client is waited for
        elif kind == ACK: raise Failure("bad_ack", "ACK for an end whose resend is 0")  # RE1
        elif kind in (GOODBYE, ERROR): self.leave("session_ended"); self.close()  # SE5
        elif kind == PONG: pass
        else: self.session_frame(kind, flags, channel, body)
    def ping(self, body, patience):
        if patience != self.patience: self.moved = self.heard
        self.pong, self.patience = body, patience
    def session_frame(self, kind, flags, channel, body):
        self.received += 1  # SE4
        if kind == OPEN: return self.open(channel, body)
        c = self.channels.get(channel)
        if not c or c.closed and c.over and not c.queue: raise Failure("unknown_channel", "a channel that is not open")  # CH8
        if c.closed: raise Failure("unexpected_frame", "a frame after CLOSE")  # CH4
        if kind in FIELDS: body = parse(kind, body)  # JS2: CH 的先说 violations of CH come first
        if kind == STDIN: c.data(body, flags)
        elif kind == EOF: c.end(body[0])
        elif kind == WINDOW: c.grant(int.from_bytes(body, "big"))
        elif kind == SIGNAL: c.signal(body.get("signal", ""))
        elif kind == CLOSE: c.close()  # RESIZE: 没有终端，什么也不做 without a terminal it does nothing (TE2)
    def open(self, channel, body):
        if channel % 2 == 0 or channel <= self.last: raise Failure("channel_reused", "channels are odd and count upwards")  # CH1
        if len(self.channels) >= CHANNELS: raise Failure("too_many_channels", f"more than {CHANNELS} channels")  # CH2
        self.last, c = channel, Channel(self, channel)
        self.channels[channel] = c
        try: c.open(parse(OPEN, body))
        except Refused as e: c.refuse(*e.args)
    def hello(self, h):  # JS2: 按这个次序 in this order
        get = filled(HELLO, h).get
        if get("protocol") != "minissh/1": raise Failure("unsupported_protocol", "this daemon speaks minissh/1")
        if not re.fullmatch("[0-9a-f]{64}", get("session")): raise Failure("bad_hello", "session is not 64 lower-case hex digits")
        if get("epoch") < 1: raise Failure("bad_hello", "epoch is below 1")
        if get("epoch") == 1 and not get("create"): raise Failure("bad_hello", "create is false at epoch 1")
        if get("resend") != 0 and get("resend") < START: raise Failure("bad_hello", "resend is 0, or 262,144 at least")
        if min(get("received"), get("hold"), get("channels")) < 0: raise Failure("bad_hello", "a number is below 0")  # JS4
        if len(get("keys")) > 16: raise Failure("bad_hello", "more than 16 keys")
        if self.uid not in (0, os.getuid()): raise Failure("key_not_authorized", "this daemon serves its own uid and root")  # CA3
        if get("user") != account.pw_name: raise Failure("key_not_authorized", "this daemon serves one account alone")
        if shutdown: raise Failure("shutting_down", "the daemon is being stopped")
        name, now = get("session"), time.monotonic()  # 以下 from here on: RE3
        until, code = ended[self.uid].get(name, (0, ""))
        if now < until: raise Failure(code, "the session is over")
        old, full = sessions.get((self.uid, name)), sum(l.uid == self.uid for l in sessions.values()) >= SESSIONS
        if not old and not get("create"): raise Failure("session_unknown", "there is no such session")
        if not old and full: raise Failure("too_many_sessions", "your uid has too many sessions")  # SE10
        if old and get("epoch") <= old.epoch: raise Failure("stale_epoch", "the epoch is not greater than the session's")
        if old: raise Failure("session_expired", "this daemon keeps nothing for resending")  # CO1: 旧链路照旧 the old link goes on
        self.session, self.epoch, self.resend = name, get("epoch"), get("resend")
        sessions[self.uid, name] = self
        if get("received") > 0: raise Failure("resume_mismatch", "nothing was sent in this session yet")
        self.send(WELCOME, {"received": 0, "resend": 0, "channels": CHANNELS, "uptime_ms": int(1000 * (now - started)),
                            "user": account.pw_name, "home": text(os.fsencode(account.pw_dir)), "software": "minisshd.py"})  # SE2
    def timers(self, now):
        if self.closing: return
        if shutdown and not self.session and now >= shutdown: return self.close()
        if self.session and not self.asked and now >= self.heard + 15 and self.room():  # SE6: 15 秒没有声音 15 seconds of silence
            self.asked = self.send(PING, bytes(8)) or True
        due = self.heard + (self.patience if self.asked else 15) if self.session else self.begun + login_timeout
        if now < due: alarms.append(due)
        elif not self.session: raise Failure("login_timeout", "no HELLO came in time")  # ID8
        elif self.asked: return self.lost()  # SE6: 45 秒没有声音 45 seconds of silence
        if self.out and self.patience == 45 and now >= self.moved + 30: return self.lost()  # SE6: 写不动 no progress
        if shutdown and self.session and (not self.channels or now >= shutdown):  # SE11
            self.send(GOODBYE, {"code": "shutting_down", "message": "the daemon is being stopped"})
            self.leave("session_ended"); self.closing = now + 2
    def speak(self, now):
        if self.pong and self.room(): self.pong = self.send(PONG, self.pong)  # SE6: 只需答最后一个 only the last must be answered
        if self.session and self.resend and self.told < self.received and self.room():  # RE1: 它留底，就告诉它 it keeps frames
            self.told = self.send(ACK, self.received.to_bytes(8, "big")) or self.received
        more = not self.room()  # 有人没等到空位：再来一圈 somebody waits for room: another round
        try:
            if self.out and not self.broken: del self.out[:self.sock.send(self.out)]; self.moved = now  # FR4
            if self.closing and not self.out: self.sock.shutdown(socket.SHUT_WR)  # FR7
        except BlockingIOError: pass
        except OSError: self.broken = True  # FR8: 写坏了，先读完 after a failed write, first read what has come
        if self.out and not self.broken and self.patience == 45: alarms.append(self.moved + 30)
        if self.closing and (self.half and not self.out or self.broken or now >= self.closing): return self.close()
        if self.closing: alarms.append(self.closing)
        watch(self.sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if (self.out or more) and not self.broken else 0))
    def fail(self, code, message):  # FR7: 说、半关、再读一会儿 speak, half-close, read on for a moment
        self.send(ERROR, {"code": code, "message": message})
        self.leave("session_ended"); self.closing = time.monotonic() + 2
    def lost(self): self.leave("session_expired"); self.close()  # resend 是 0，会话就此过期 with resend 0 the session expires at once
    def leave(self, code):  # 会话没了，记 10 分钟 the session is over, which is remembered for 10 minutes
        if self.session:
            del sessions[self.uid, self.session]
            ended[self.uid][self.session] = time.monotonic() + 600, code
            while len(ended[self.uid]) > MEMORY: del ended[self.uid][next(iter(ended[self.uid]))]  # SE10: 最早的先忘 the oldest is forgotten
            self.session = None
        for c in self.channels.values(): c.abandon()
        self.channels.clear()
    def close(self): links.discard(self); watch(self.sock, 0); self.sock.close()

def accept(listener):
    while True:
        try: sock, _ = listener.accept()
        except OSError: return  # 没有了，或描述符用完了 none is left, or descriptors are used up
        uid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]  # CA3
        if sum(l.uid == uid and not l.session for l in links) >= LOGINS: sock.close(); continue  # CA4
        sock.setblocking(False)
        links.add(Link(sock, uid))

def listen(path):
    listener, mask = socket.socket(socket.AF_UNIX), os.umask(0o177)  # 0600: 只有自己和 root 连得上 for its owner and root alone
    try: listener.bind(path)
    except OSError:  # 没人听的旧套接字可以换掉 a socket that nobody listens on may be replaced
        with socket.socket(socket.AF_UNIX) as probe:
            if not stat.S_ISSOCK(os.lstat(path).st_mode) or probe.connect_ex(path) != errno.ECONNREFUSED: raise
        os.unlink(path); listener.bind(path)
    os.umask(mask); listener.listen(64); listener.setblocking(False)
    return listener

def terminate(*_):  # SE11: 第一次给 5 秒，第二次马上停 the first time there are 5 seconds, the second time none
    global shutdown
    grace = 0 if shutdown else 5
    shutdown = time.monotonic() + grace
    for link in list(links):
        if not link.session and not link.closing: link.close()
        for c in link.channels.values():
            if c.proc: c.notice({"notice": "shutting_down", "grace_ms": 1000 * grace})

def serve(path):
    listener, wakened, waker = listen(path), *socket.socketpair()
    for end in (wakened, waker): end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    pending = []  # 信号在循环里才办 signals are dealt with in the loop
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGCONT): signal.signal(s, lambda number, _: pending.append(number))
    for s in map(signal.Signals.__getitem__, ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTSTP")):
        if signal.getsignal(s) == signal.SIG_IGN: signal.signal(s, lambda *_: None)  # 命令不能也忽略 else commands would ignore it too
    watch(listener, selectors.EVENT_READ); watch(wakened, selectors.EVENT_READ)
    print(f"listening on unix:{path}", file=sys.stderr, flush=True)
    while True:
        alarms.clear()
        while pending:
            number = pending.pop()
            if number in (signal.SIGTERM, signal.SIGINT): terminate()
            if number == signal.SIGCONT:  # SE6: 自己停住的时间不算 time in which we were stopped is not counted
                for link in links: link.heard = link.moved = time.monotonic()
        accept(listener)
        now = time.monotonic()
        if shutdown and now < shutdown: alarms.append(shutdown)
        for link in list(links): link.step(now)
        for c in [c for c in commands if not c.link]: c.step(now)
        if shutdown and not links and not commands: break
        if pending: continue
        selector.select(max(0, min(alarms) - time.monotonic()) if alarms else None)
        try:
            while wakened.recv(MAX): pass
        except BlockingIOError: pass
    os.unlink(path)

try:
    options, (address,) = getopt.getopt(sys.argv[1:], "", ["login-timeout=", "subsystem="])
    login_timeout = float(dict(options).get("--login-timeout", 20))  # ID8
    subsystems = dict(os.fsencode(v).split(b"=", 1) for k, v in options if k == "--subsystem")  # SU1
except (getopt.GetoptError, ValueError): address = ""
if not address.startswith("unix:"): print("用法 usage:", __doc__.splitlines()[1].strip(), file=sys.stderr); sys.exit(2)
try: serve(address[5:])
except OSError as e: print(f"minisshd.py: {address!a}: {e}", file=sys.stderr); sys.exit(1)
