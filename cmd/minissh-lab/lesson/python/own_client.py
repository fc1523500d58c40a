# python3 my_client.py unix:PATH COMMAND; FR1 … 是 PROTOCOL.md 里的规则 / FR1 … are rules of PROTOCOL.md
import getpass
import json
import secrets
import socket
import struct
import sys

OPEN, OPENED, WINDOW, EOF, EXIT, CLOSE = 0x01, 0x02, 0x03, 0x04, 0x08, 0x09  # FR5
STDIN, STDOUT, STDERR = 0x10, 0x11, 0x12
HELLO, PING, PONG, GOODBYE, ERROR = 0x81, 0x84, 0x85, 0x86, 0x87

path, command = sys.argv[1], sys.argv[2]
if path.startswith('unix:'):
    path = path[5:]
link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
link.connect(path)


def send(kind, channel, payload):
    if isinstance(payload, dict):
        payload = json.dumps(payload).encode('utf-8')
    link.sendall(struct.pack('>IBBHI', len(payload), kind, 0, 0, channel) + payload)  # FR1


def recv_exact(n):
    data = b''
    while len(data) < n:
        res = link.recv(n - len(data))
        if not res:
            sys.exit('the daemon is gone')
        data += res
    return data


send(HELLO, 0, {'protocol': 'minissh/1', 'session': secrets.token_hex(32), 'epoch': 1,
                'create': True, 'received': 0, 'user': getpass.getuser(), 'resend': 0,
                'hold': 0, 'channels': 0})  # SE1
send(OPEN, 1, {'service': 'exec', 'command': command})  # EX1
send(EOF, 1, bytes([STDIN]))

#[starter
# 练习：一帧一帧地收；打印 STDOUT、STDERR；EXIT 里有退出码；CLOSE 以后 GOODBYE / exercise: receive frame by frame; print STDOUT, STDERR; the exit code is in EXIT; GOODBYE after CLOSE
length, kind, flags, reserved, channel = struct.unpack('>IBBHI', recv_exact(12))
print(kind, recv_exact(length))
#]
#[mended
received, code = 0, 255
while True:
    length, kind, flags, reserved, channel = struct.unpack('>IBBHI', recv_exact(12))
    if length > 65536:  # FR2
        sys.exit('frame too large')
    payload = recv_exact(length)
    if kind in (STDOUT, STDERR):
        out = sys.stdout if kind == STDOUT else sys.stderr
        out.buffer.write(payload)
        out.buffer.flush()
        received += len(payload)
        send(WINDOW, 1, struct.pack('>Q', 262144 + received))  # CH5: the total ever allowed
    elif kind == EXIT:
        code = json.loads(payload).get('code', 255)  # EX6
    elif kind == PING:
        send(PONG, 0, payload)
    elif kind in (CLOSE, ERROR):
        break
if kind == CLOSE:
    send(CLOSE, 1, {})
    send(GOODBYE, 0, {})
else:
    print(payload.decode('utf-8', 'replace'), file=sys.stderr)
sys.exit(code)
#]
