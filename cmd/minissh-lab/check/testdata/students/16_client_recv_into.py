import json
import socket
import struct
import sys


def recv_exact(sock, n):
    buf = bytearray(n)
    view = memoryview(buf)
    while view:
        got = sock.recv_into(view)
        if got == 0:
            sys.exit('the server closed the connection')
        view = view[got:]
    return bytes(buf)


def main():
    sock = socket.socket()
    sock.connect(('127.0.0.1', 8080))
    while True:
        try:
            cmd = input('>>: ').strip()
        except EOFError:
            return
        if not cmd:
            continue
        sock.sendall(cmd.encode('utf-8'))
        head_len = struct.unpack('<i', recv_exact(sock, 4))[0]
        if not 0 < head_len <= 4096:
            sys.exit('bad header length %d' % head_len)
        head = json.loads(recv_exact(sock, head_len).decode('utf-8'))
        size = head['total_size']
        if not isinstance(size, int) or not 0 <= size <= 32 * 1024 * 1024:
            sys.exit('bad size %r' % size)
        print(recv_exact(sock, size).decode('utf-8'))


main()
