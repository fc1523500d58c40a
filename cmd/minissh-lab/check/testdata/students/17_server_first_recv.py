import json
import os
import socket
import struct
import threading

LIMIT = 100 * 1024 * 1024


def read(conn, n):
    if n < 0 or n > LIMIT:
        raise ConnectionError('bad length')
    data = b''
    while len(data) < n:
        piece = conn.recv(min(4096, n - len(data)))
        if not piece:
            raise ConnectionError('client left')
        data += piece
    return data


def put(conn):
    head_len = struct.unpack('i', read(conn, 4))[0]
    if not 0 < head_len < 10000:
        raise ConnectionError('bad header')
    head = json.loads(read(conn, head_len).decode('utf-8'))
    data = read(conn, head['file_size'])
    with open(os.path.basename(head['filename']), 'wb') as f:
        f.write(data)


def get(conn, name):
    name, size, data = os.path.basename(name), 0, b''
    if os.path.isfile(name):
        data = open(name, 'rb').read()
    head = json.dumps({'filename': name, 'md5': 'xxdxxx', 'file_size': len(data)}).encode('utf-8')
    conn.sendall(struct.pack('i', len(head)) + head + data)


def serve(conn):
    try:
        while True:
            cmd = conn.recv(1024)
            if cmd[:3] == b'get':
                get(conn, cmd[4:].decode('utf-8'))
            elif cmd[:3] == b'put':
                put(conn)
            else:
                break
    except (ConnectionError, ValueError) as e:
        print(e)
    conn.close()


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 8080))
s.listen(5)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
