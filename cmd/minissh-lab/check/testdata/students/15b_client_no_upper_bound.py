import socket
import struct
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', 8080))


def get(size):
    pieces = b''
    while size > 0:
        piece = s.recv(1024 if size > 1024 else size)
        if not piece:
            sys.exit(1)
        pieces += piece
        size -= len(piece)
    return pieces


for line in sys.stdin:
    line = line.strip()
    if not line:
        continue
    s.sendall(line.encode('utf-8'))
    length = struct.unpack('i', get(4))[0]
    if length < 0:
        sys.exit('negative length')
    print(get(length).decode('utf-8'), flush=True)
