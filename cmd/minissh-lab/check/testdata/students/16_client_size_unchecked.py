import json
import socket
import struct
import sys


def exactly(sock, n):
    parts = []
    while n > 0:
        part = sock.recv(min(n, 65536))
        if not part:
            sys.exit('lost connection')
        parts.append(part)
        n -= len(part)
    return b''.join(parts)


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect(('127.0.0.1', 8080))
    while True:
        cmd = input('>>: ').strip()
        if not cmd:
            continue
        sock.sendall(cmd.encode('utf-8'))
        head_len, = struct.unpack('i', exactly(sock, 4))
        if head_len < 2 or head_len > 8192:
            sys.exit('bad header length %d' % head_len)
        head = json.loads(exactly(sock, head_len).decode('utf-8'))
        data = exactly(sock, head['total_size'])
        print(data.decode('utf-8'))


if __name__ == '__main__':
    main()
