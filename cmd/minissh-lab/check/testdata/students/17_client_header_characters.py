import json
import os
import socket
import struct
import sys

s = socket.create_connection(('127.0.0.1', 8080))
stream = s.makefile('rb')


def read(n, limit):
    if n < 0 or n > limit:
        sys.exit('不接受 %d' % n)
    data = stream.read(n)
    if len(data) < n:
        sys.exit('连接断开')
    return data


def get(name):
    head_len = struct.unpack('i', read(4, 4))[0]
    head = json.loads(read(head_len, 8192).decode('utf-8'))
    body = read(head['file_size'], 1 << 28)
    if head.get('error'):
        print(head['error'])
    else:
        with open(os.path.basename(name), 'wb') as f:
            f.write(body)


def put(name):
    head = {'filename': name, 'md5': 'xxdxxx', 'file_size': os.path.getsize(name)}
    head_json = json.dumps(head, ensure_ascii=False)
    s.sendall(struct.pack('i', len(head_json)))
    s.sendall(head_json.encode('utf-8'))
    with open(name, 'rb') as f:
        for block in iter(lambda: f.read(4096), b''):
            s.sendall(block)


while True:
    cmd = input('>>: ').strip()
    words = cmd.split(' ', 1)
    if len(words) == 2 and words[0] in ('get', 'put'):
        s.sendall(cmd.encode('utf-8'))
        get(words[1]) if words[0] == 'get' else put(words[1])
