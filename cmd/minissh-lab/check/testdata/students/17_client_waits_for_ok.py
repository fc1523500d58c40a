import json
import os
import socket
import struct
import sys

sock = socket.create_connection(('127.0.0.1', 8080))


def recv_exact(n, limit):
    if not 0 <= n <= limit:
        sys.exit('length %d' % n)
    data = b''
    while len(data) < n:
        new = sock.recv(min(n - len(data), 16384))
        if not new:
            sys.exit('closed')
        data += new
    return data


def get(name):
    sock.sendall(b'get ' + name.encode('utf-8'))
    n, = struct.unpack('i', recv_exact(4, 4))
    head = json.loads(recv_exact(n, 8192).decode('utf-8'))
    data = recv_exact(head['file_size'], 1 << 28)
    if 'error' in head:
        return head['error']
    with open(os.path.basename(name), 'wb') as f:
        f.write(data)
    return 'ok'


def put(name):
    with open(name, 'rb') as f:
        data = f.read()
    head = json.dumps({'filename': name, 'md5': 'xxdxxx', 'file_size': len(data)}).encode('utf-8')
    sock.sendall(b'put ' + name.encode('utf-8') + struct.pack('i', len(head)) + head + data)
    return sock.recv(1024).decode('utf-8')


while True:
    verb, _, name = input('ftp> ').strip().partition(' ')
    if verb == 'get':
        print(get(name))
    elif verb == 'put':
        print(put(name))
