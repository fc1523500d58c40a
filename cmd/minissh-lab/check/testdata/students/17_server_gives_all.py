import json
import os
import socketserver
import struct


class Handler(socketserver.BaseRequestHandler):
    def setup(self):
        self.buf = b''

    def fill(self):
        data = self.request.recv(65536)
        if not data:
            raise EOFError('closed')
        self.buf += data

    def take(self, n, limit=1 << 26):
        if n < 0 or n > limit:
            raise EOFError('refused')
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def handle(self):
        try:
            while True:
                self.fill()
                if self.buf[:4] == b'get ':
                    self.get(self.take(len(self.buf))[4:].decode('utf-8'))
                else:
                    self.put()
        except (EOFError, ConnectionError, ValueError) as e:
            print(self.client_address, e)

    def get(self, name):
        data = b''
        if os.path.isfile(name):
            with open(name, 'rb') as f:
                data = f.read()
        head = {'filename': os.path.basename(name), 'md5': 'xxdxxx', 'file_size': len(data)}
        head = json.dumps(head).encode('utf-8')
        self.request.sendall(struct.pack('i', len(head)) + head + data)

    def put(self):
        while b'{' not in self.buf and len(self.buf) < 1500:
            self.fill()
        self.take(self.buf.index(b'{') - 4)
        n = struct.unpack('i', self.take(4))[0]
        head = json.loads(self.take(n, 8192))
        data = self.take(head['file_size'])
        with open(os.path.basename(head['filename']), 'wb') as f:
            f.write(data)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('127.0.0.1', 8080), Handler).serve_forever()
