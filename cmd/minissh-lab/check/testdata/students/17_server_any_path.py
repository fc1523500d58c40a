import json
import os
import socketserver
import struct


class FileHandler(socketserver.BaseRequestHandler):
    buf = b''

    def fill(self):
        data = self.request.recv(8192)
        if not data:
            raise EOFError
        self.buf += data

    def take(self, n):
        if n < 0 or n > 2 ** 26:
            raise EOFError
        while len(self.buf) < n:
            self.fill()
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def handle(self):
        try:
            while True:
                self.fill()
                if self.buf.startswith(b'get '):
                    name = self.take(len(self.buf))[4:].decode('utf-8')
                    self.get(os.path.basename(name))
                    continue
                # put 的命令后面紧跟着 4 字节长度和报头
                while b'{' not in self.buf and len(self.buf) < 2000:
                    self.fill()
                self.take(self.buf.index(b'{') - 4)
                self.put()
        except (EOFError, OSError, ValueError):
            pass

    def get(self, name):
        data = b''
        if os.path.exists(name):
            with open(name, 'rb') as f:
                data = f.read()
        head = json.dumps({'filename': name, 'md5': 'xxdxxx', 'file_size': len(data)}).encode()
        self.request.sendall(struct.pack('i', len(head)) + head + data)

    def put(self):
        size = struct.unpack('i', self.take(4))[0]
        head = json.loads(self.take(size if size < 9999 else -1))
        data = self.take(head['file_size'])
        with open(head['filename'], 'wb') as f:
            f.write(data)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('127.0.0.1', 8080), FileHandler).serve_forever()
