import json
import os
import socket
import struct
import threading


class MYTCPServer:
    def __init__(self, conn):
        self.conn = conn
        self.commands = {'put': self.put}

    def recv_exact(self, n, limit):
        if not 0 <= n <= limit:
            raise ConnectionError('refused: %d bytes' % n)
        data = bytearray()
        while len(data) < n:
            res = self.conn.recv(min(65536, n - len(data)))
            if not res:
                raise ConnectionError('closed')
            data += res
        return bytes(data)

    def run(self):
        try:
            while True:
                start = self.recv_exact(1, 1)
                if start == b'[':
                    verb, name = json.loads(start + self.conn.recv(1024))
                    if verb == 'get':
                        self.get(os.path.basename(name))
                    continue
                n = struct.unpack('i', start + self.recv_exact(3, 3))[0]
                args = json.loads(self.recv_exact(n, 8192))
                self.commands[args['cmd']](args)
        except (ConnectionError, ValueError, KeyError) as e:
            print(e)
        self.conn.close()

    def put(self, args):
        data = self.recv_exact(args['filesize'], 1 << 26)
        with open(os.path.basename(args['filename']), 'wb') as f:
            f.write(data)

    def get(self, name):
        data = b''
        if os.path.isfile(name):
            with open(name, 'rb') as f:
                data = f.read()
        head = json.dumps({'filename': name, 'filesize': len(data)}).encode('utf-8')
        self.conn.sendall(struct.pack('i', len(head)) + head)
        self.conn.sendall(data)


s = socket.create_server(('127.0.0.1', 8080))
while True:
    threading.Thread(target=MYTCPServer(s.accept()[0]).run, daemon=True).start()
