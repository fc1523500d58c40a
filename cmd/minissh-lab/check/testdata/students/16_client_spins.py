import json
import socket
import struct
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', 8080))


def read_exactly(count):
    got = b''
    while len(got) < count:
        got += s.recv(count - len(got))
    return got


while True:
    command = input('$ ').strip()
    if not command:
        continue
    if command in ('quit', 'exit'):
        break
    s.sendall(command.encode('utf-8'))
    size = struct.unpack('<i', read_exactly(4))[0]
    if not 0 < size <= 10240:
        sys.exit('header of %d bytes?' % size)
    header = json.loads(read_exactly(size).decode('utf-8'))
    if not 0 <= header['total_size'] <= 64 * 1024 * 1024:
        sys.exit('answer of %d bytes?' % header['total_size'])
    print(read_exactly(header['total_size']).decode('utf-8'))
s.close()
