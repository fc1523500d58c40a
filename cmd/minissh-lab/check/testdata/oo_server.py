import json
import os
import struct
import threading
from lab import LIMIT, listening, recv_exact


class MYTCPServer:
    def __init__(self, conn):
        self.conn = conn

    def run(self):
        try:
            while True:
                first = self.conn.recv(1)
                if not first:
                    break
                if first == b'[':
                    cmd, name = json.loads((first + self.conn.recv(1024)).decode('utf-8'))
                    if cmd == 'get':
                        self.get(name)
                else:
                    self.put(first)
        except (ConnectionError, ValueError) as e:
            print(e)
        self.conn.close()

    def put(self, first):
        head_len = struct.unpack('i', first + recv_exact(self.conn, 3))[0]
        if not 0 < head_len <= 8192:
            raise ConnectionError('header length %d refused' % head_len)
        head_dic = json.loads(recv_exact(self.conn, head_len).decode('utf-8'))
        if head_dic['cmd'] != 'put' or not 0 <= head_dic['filesize'] <= LIMIT:
            raise ConnectionError('refused')
        data = recv_exact(self.conn, head_dic['filesize'])
        with open(os.path.basename(head_dic['filename']), 'wb') as f:
            f.write(data)

    def get(self, name):
        path = os.path.basename(name)
        data = b''
        if os.path.isfile(path):
            with open(path, 'rb') as f:
                data = f.read()
        head_bytes = json.dumps({'filename': name, 'filesize': len(data)}).encode('utf-8')
        self.conn.sendall(struct.pack('i', len(head_bytes)) + head_bytes)
        self.conn.sendall(data)


phone = listening()
while True:
    conn, addr = phone.accept()
    threading.Thread(target=MYTCPServer(conn).run, daemon=True).start()
