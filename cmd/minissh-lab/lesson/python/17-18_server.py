import json
import os
import socket
import struct
import sys
import threading

LIMIT = 64 * 1024 * 1024

#:part listen


def send_file(conn, name):
    path = os.path.basename(name)
    head_dic = {'filename': name, 'md5': 'xxdxxx', 'file_size': 0}
    data = b''
    if os.path.isfile(path):
        with open(path, 'rb') as f:
            data = f.read()
        head_dic['file_size'] = len(data)
    else:
        head_dic['error'] = 'no such file'
    head_bytes = json.dumps(head_dic).encode('utf-8')
    conn.sendall(struct.pack('<i', len(head_bytes)) + head_bytes + data)


#[starter
def serve(conn):
    while True:
        cmds = conn.recv(8096).decode('utf-8').split()  # 练习：put 的时候里面还有什么？ / exercise: what else is in it for a put?
        if not cmds:
            break
        if cmds[0] == 'get':
            send_file(conn, cmds[1])
        elif cmds[0] == 'put':
            head_len = struct.unpack('<i', conn.recv(4))[0]
            head_dic = json.loads(conn.recv(head_len).decode('utf-8'))
            with open(head_dic['filename'], 'wb') as f:
                f.write(conn.recv(head_dic['file_size']))
    conn.close()


#]
#[mended
class Stream:  # 收到了还没用的字节留在 rest 里 / rest has what was received and not yet used
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

    def command(self):  # put NAME 后面紧跟着 4 字节长度和 { / after put NAME, a length and a {
        if not self.rest:
            self.more()
        if not self.rest.startswith(b'put'):
            cmd, self.rest = self.rest, b''
            return cmd.decode('utf-8')
        while b'{' not in self.rest and len(self.rest) < 1100:
            self.more()
        return self.take(self.rest.find(b'{') - 4).decode('utf-8')


def receive_file(s):
    head_len = struct.unpack('<i', s.take(4))[0]
    if not 0 < head_len <= 8192:
        raise ConnectionError('header length %d refused' % head_len)
    head_dic = json.loads(s.take(head_len).decode('utf-8'))
    if not 0 <= head_dic['file_size'] <= LIMIT:
        raise ConnectionError('size %d refused' % head_dic['file_size'])
    with open(os.path.basename(head_dic['filename']), 'wb') as f:  # ../x 变成 x / ../x becomes x
        f.write(s.take(head_dic['file_size']))


def serve(conn):
    s = Stream(conn)
    try:
        while True:
            verb, name = s.command().split(maxsplit=1)
            if verb == 'get':
                send_file(conn, name)
            else:
                receive_file(s)
    except (ConnectionError, ValueError) as e:
        print(e)
    conn.close()


#]
#:part threads
