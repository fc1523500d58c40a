import socket
import struct
import sys


def read(sock, n):
    buf = b''
    while len(buf) < n:
        more = sock.recv(n - len(buf))
        if more == b'':
            sys.exit('connection lost')
        buf += more
    return buf


sock = socket.create_connection(('127.0.0.1', 8080))
while True:
    command = input().strip()
    if not command:
        continue
    sock.sendall(command.encode())
    (length,) = struct.unpack('<i', read(sock, 4))
    if not 0 <= length <= 1 << 24:
        sys.exit('bad length')
    body = b''
    while len(body) < length:
        r = sock.recv(min(1024, length - len(body)))
        if not r:
            sys.exit('connection lost')
        body += r
        if len(r) < 1024:
            break
    print(body.decode())
