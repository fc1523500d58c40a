import json
import os
import socket
import struct
import threading


class Reader:
    def __init__(self, conn):
        self.conn, self.data = conn, b''

    def more(self):
        new = self.conn.recv(4096)
        if not new:
            raise ConnectionError('客户端走了')
        self.data += new

    def read(self, n):
        if not 0 <= n < 1 << 26:
            raise ConnectionError('长度不对')
        while len(self.data) < n:
            self.more()
        res, self.data = self.data[:n], self.data[n:]
        return res


def get(conn, name):
    name, body = os.path.basename(name), b''
    if os.path.isfile(name):
        body = open(name, 'rb').read()
    head = json.dumps({'filename': name, 'md5': 'xxdxxx', 'file_size': len(body)}).encode('utf-8')
    conn.sendall(struct.pack('i', len(head)) + head + body)


def serve(conn):
    r = Reader(conn)
    try:
        while True:
            r.more()
            if r.data.startswith(b'get '):
                get(conn, r.read(len(r.data)).decode('gbk', 'replace')[4:])
                continue
            while b'{' not in r.data and len(r.data) < 1500:
                r.more()
            r.read(r.data.index(b'{') - 4)
            n = struct.unpack('i', r.read(4))[0]
            head = json.loads(r.read(n if n < 8192 else -1).decode('utf-8'))
            body = r.read(head['file_size'])
            with open(os.path.basename(head['filename']), 'wb') as f:
                f.write(body)
    except (ConnectionError, ValueError) as e:
        print(e)
    conn.close()


s = socket.create_server(('127.0.0.1', 8080))
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
