import json
import os
import socket
import struct
import sys


class MYTCPClient:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.connect(address)
        self.file = self.socket.makefile('rb')

    def read(self, n, limit):
        if not 0 <= n <= limit:
            sys.exit('length %d' % n)
        data = self.file.read(n)
        if len(data) != n:
            sys.exit('the server closed the connection')
        return data

    def get(self, name):
        self.socket.sendall(('get %s' % name).encode('utf-8'))
        n = struct.unpack('i', self.read(4, 4))[0]
        head = json.loads(self.read(n, 8192).decode('utf-8'))
        data = self.read(head['filesize'], 1 << 27)
        if 'error' not in head:
            with open(os.path.basename(name), 'wb') as f:
                f.write(data)

    def put(self, name):
        head = {'cmd': 'put', 'filename': name, 'filesize': os.path.getsize(name)}
        head = json.dumps(head).encode('utf-8')
        self.socket.sendall(struct.pack('i', len(head)) + head)
        with open(name, 'rb') as f:
            self.socket.sendfile(f)

    def run(self):
        for line in sys.stdin:
            verb, _, name = line.strip().partition(' ')
            if verb in ('get', 'put'):
                getattr(self, verb)(name)


MYTCPClient(('127.0.0.1', 8080)).run()
