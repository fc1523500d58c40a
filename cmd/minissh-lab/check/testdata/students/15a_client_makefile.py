import socket
import struct
import sys

sock = socket.create_connection(('127.0.0.1', 8080))
stream = sock.makefile('rb')


def read(n):
    data = stream.read(n)
    if len(data) < n:
        sys.exit('connection ended after %d of %d bytes' % (len(data), n))
    return data


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    sock.sendall(cmd.encode('utf-8'))
    length, = struct.unpack('<i', read(4))
    if not 0 <= length < 16 * 1024 * 1024:
        sys.exit('length %d' % length)
    print(read(length).decode('utf-8'), end='', flush=True)
