import json
import os
import socket
import struct

DOWNLOAD = 'download'
os.makedirs(DOWNLOAD, exist_ok=True)
phone = socket.create_connection(('127.0.0.1', 8080))
stream = phone.makefile('rb')


def read(n, limit):
    if not 0 <= n <= limit:
        raise SystemExit('长度 %d 不能接受' % n)
    data = stream.read(n)
    if len(data) != n:
        raise SystemExit('只收到 %d / %d' % (len(data), n))
    return data


def get(name):
    phone.sendall(('get ' + name).encode('utf-8'))
    head = read(struct.unpack('i', read(4, 4))[0], 8192)
    head = json.loads(head.decode('utf-8'))
    data = read(head['file_size'], 1 << 27)
    if 'error' in head:
        print('失败:', head['error'])
        return
    with open(os.path.join(DOWNLOAD, os.path.basename(name)), 'wb') as f:
        f.write(data)
    print('ok', len(data))


def put(name):
    path = name if os.path.exists(name) else os.path.join(DOWNLOAD, name)
    with open(path, 'rb') as f:
        data = f.read()
    head = json.dumps({'filename': name, 'md5': 'xxdxxx', 'file_size': len(data)}).encode('utf-8')
    phone.sendall(('put ' + name).encode('utf-8'))
    phone.sendall(struct.pack('i', len(head)) + head + data)
    print('ok', len(data))


while True:
    verb, _, name = input('>>: ').strip().partition(' ')
    if verb == 'get':
        get(name)
    elif verb == 'put':
        put(name)
