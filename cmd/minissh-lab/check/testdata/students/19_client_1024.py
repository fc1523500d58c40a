import json
import os
import socket
import struct
import sys


class MYTCPClient:
    def __init__(self, addr):
        self.client = socket.create_connection(addr)

    def need(self, data, n):
        if not 0 <= n <= 1 << 28:
            sys.exit('refused')
        while len(data) < n:
            res = self.client.recv(1024)
            if not res:
                sys.exit('server closed')
            data += res
        return data

    def get(self, args):
        self.client.sendall(json.dumps(args).encode('utf-8'))
        data = self.need(b'', 4)
        n = struct.unpack('i', data[:4])[0]
        if not 0 < n <= 8192:
            sys.exit('refused')
        data = self.need(data[4:], n)
        head = json.loads(data[:n].decode('utf-8'))
        content = self.need(b'', head['filesize'])
        if head.get('error'):
            print(head['error'])
            return
        with open(os.path.basename(args[1]), 'wb') as f:
            f.write(content[:head['filesize']])

    def put(self, args):
        size = os.path.getsize(args[1])
        head = {'cmd': 'put', 'filename': os.path.basename(args[1]), 'filesize': size}
        head = json.dumps(head).encode('utf-8')
        self.client.sendall(struct.pack('i', len(head)) + head)
        with open(args[1], 'rb') as f:
            self.client.sendfile(f)

    def run(self):
        while True:
            args = input('>>: ').strip().split(None, 1)
            if len(args) == 2 and args[0] in ('get', 'put'):
                getattr(self, args[0])(args)


MYTCPClient(('127.0.0.1', 8080)).run()
