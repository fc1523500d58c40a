import json
import os
import socket
import struct


class MYTCPServer:
    def __init__(self, address):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(address)
        self.server.listen(5)

    def read(self, n):
        data = b''
        while len(data) != n:
            res = self.conn.recv(n - len(data))
            if not res:
                raise ConnectionError
            data += res
        return data

    def run(self):
        while True:
            self.conn, self.addr = self.server.accept()
            try:
                self.talk()
            except ConnectionError:
                print('客户端断开', self.addr)
            self.conn.close()

    def talk(self):
        while True:
            first = self.read(1)
            if first == b'[':
                args = json.loads((first + self.conn.recv(1024)).decode('utf-8'))
                if args[0] == 'get':
                    self.get(os.path.basename(args[1]))
                continue
            size = struct.unpack('i', first + self.read(3))[0]
            head = json.loads(self.read(size).decode('utf-8'))
            if head['cmd'] == 'put':
                body = self.read(head['filesize'])
                with open(os.path.basename(head['filename']), 'wb') as f:
                    f.write(body)

    def get(self, name):
        body = open(name, 'rb').read() if os.path.isfile(name) else b''
        head = json.dumps({'filename': name, 'filesize': len(body)}).encode('utf-8')
        self.conn.sendall(struct.pack('i', len(head)) + head + body)


MYTCPServer(('127.0.0.1', 8080)).run()
