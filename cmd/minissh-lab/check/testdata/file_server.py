import json
import os
import struct
import threading
from lab import LIMIT, listening


class Stream:
    """A connection, and what has been received and not yet used."""

    def __init__(self, conn):
        self.conn, self.rest = conn, b''

    def more(self):
        res = self.conn.recv(65536)
        if not res:
            raise ConnectionError('the connection ended')
        self.rest += res

    def take(self, n):
        while len(self.rest) < n:
            self.more()
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def command(self):
        """`get NAME`, or `put NAME` that ends where a length and a { follow."""
        if not self.rest:
            self.more()
        if not self.rest.startswith(b'put'):
            cmd, self.rest = self.rest, b''
            return cmd.decode('utf-8')
        while b'{' not in self.rest and len(self.rest) < 1100:
            self.more()
        return self.take(self.rest.find(b'{') - 4).decode('utf-8')


def put(s):
    head_len = struct.unpack('i', s.take(4))[0]
    if not 0 < head_len <= 8192:
        raise ConnectionError('header length %d refused' % head_len)
    head_dic = json.loads(s.take(head_len).decode('utf-8'))
    name = os.path.basename(head_dic['filename'])
    total = head_dic['file_size']
    if not 0 <= total <= LIMIT:
        raise ConnectionError('size %d refused' % total)
    with open(name, 'wb') as f:
        f.write(s.take(total))


def get(s, name):
    path = os.path.basename(name)
    head_dic = {'filename': name, 'md5': 'xxdxxx', 'file_size': 0}
    data = b''
    if os.path.isfile(path):
        with open(path, 'rb') as f:
            data = f.read()
        head_dic['file_size'] = len(data)
    else:
        head_dic['error'] = 'no such file'
    head_json = json.dumps(head_dic, ensure_ascii=False)
    head_bytes = head_json.encode('utf-8')
    s.conn.sendall(struct.pack('i', len(head_bytes)) + head_bytes)
    s.conn.sendall(data)


def serve(conn):
    s = Stream(conn)
    try:
        while True:
            verb, name = s.command().split(maxsplit=1)
            if verb == 'get':
                get(s, name)
            else:
                put(s)
    except (ConnectionError, ValueError) as e:
        print(e)
    conn.close()


phone = listening()
while True:
    conn, addr = phone.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
