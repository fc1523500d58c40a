import json
import os
import socket
import struct
import sys

s = socket.socket()
s.connect(('127.0.0.1', 8080))


def recv_n(n):
    if n < 0 or n > 1 << 27:
        sys.exit('refused')
    data = b''
    while len(data) < n:
        part = s.recv(min(n - len(data), 8192))
        if not part:
            sys.exit('connection lost')
        data += part
    return data


def get():
    head_len = struct.unpack('i', recv_n(4))[0]
    if not 0 < head_len < 8192:
        sys.exit('refused')
    head = json.loads(recv_n(head_len).decode('utf-8'))
    data = recv_n(head['file_size'])
    if head.get('error'):
        return print(head['error'])
    with open(head['filename'], 'wb') as f:
        f.write(data)


def put(name):
    head = {'filename': os.path.basename(name), 'md5': 'xxdxxx', 'file_size': os.path.getsize(name)}
    head = json.dumps(head).encode('utf-8')
    s.sendall(struct.pack('i', len(head)) + head)
    with open(name, 'rb') as f:
        s.sendall(f.read())


while True:
    cmd = input('>>: ').strip()
    if cmd.startswith('get '):
        s.sendall(cmd.encode('utf-8'))
        get()
    elif cmd.startswith('put '):
        s.sendall(cmd.encode('utf-8'))
        put(cmd[4:])
