import json
import os
import socket
import struct
import sys
import threading

#:part recv_exact


#:part listen


class MYTCPServer:
    def __init__(self, conn):
        self.conn = conn

#[starter
    def run(self):
        while True:  # 练习：get 来的是 ["get", "a.txt"]，没有长度 / exercise: a get has no length
            head_len = struct.unpack('<i', self.conn.recv(4))[0]
            head_dic = json.loads(self.conn.recv(head_len).decode('utf-8'))
            if hasattr(self, head_dic['cmd']):  # 练习：cmd 是 run 呢？ / exercise: and if it is run?
                getattr(self, head_dic['cmd'])(head_dic)

    def put(self, head_dic):
        data = recv_exact(self.conn, head_dic['filesize'])
        with open(head_dic['filename'], 'wb') as f:
            f.write(data)
#]
#[mended
    def run(self):
        try:
            while True:
                first = self.conn.recv(1)
                if not first:
                    break
                if first == b'[':  # 没有长度的 get / a get, which has no length
                    cmd, name = json.loads((first + self.conn.recv(1024)).decode('utf-8'))
                    if cmd == 'get':
                        self.get(name)
                else:
                    head_dic = self.header(first)
                    {'put': self.put}[head_dic['cmd']](head_dic)  # 只认 put / put only
        except (ConnectionError, ValueError, KeyError) as e:
            print(e)
        self.conn.close()

    def header(self, first):
        head_len = struct.unpack('<i', first + recv_exact(self.conn, 3))[0]
        if not 0 < head_len <= 8192:
            raise ConnectionError('header length %d refused' % head_len)
        return json.loads(recv_exact(self.conn, head_len).decode('utf-8'))

    def put(self, head_dic):
        data = recv_exact(self.conn, head_dic['filesize'])
        with open(os.path.basename(head_dic['filename']), 'wb') as f:
            f.write(data)
#]

    def get(self, name):
        path = os.path.basename(name)
        data = b''
        if os.path.isfile(path):
            with open(path, 'rb') as f:
                data = f.read()
        head_bytes = json.dumps({'filename': name, 'filesize': len(data)}).encode('utf-8')
        self.conn.sendall(struct.pack('<i', len(head_bytes)) + head_bytes + data)


while True:
    conn, addr = phone.accept()
    threading.Thread(target=MYTCPServer(conn).run, daemon=True).start()
