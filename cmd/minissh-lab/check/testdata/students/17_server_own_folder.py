import json
import os
import socket
import struct
import threading
FOLDER = 'share'
os.makedirs(FOLDER, exist_ok=True)  # 没有就建


class Client(threading.Thread):
    buf = b''

    def fill(self):
        data = self.conn.recv(65536)
        if not data:
            raise ConnectionError('closed')
        self.buf += data

    def take(self, n):
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def run(self):
        with self.conn:
            try:
                while 1:
                    self.fill() if not self.buf else None
                    self.put() if self.buf[:1] == b'p' else self.get()
            except (ConnectionError, ValueError, KeyError) as e:
                print('结束', e)

    def get(self):
        name = self.take(len(self.buf)).decode('utf-8')[4:]
        path, head, data = os.path.join(FOLDER, os.path.basename(name)), {'filename': name}, b''
        if os.path.isfile(path):
            data = open(path, 'rb').read()
        else:
            head['error'] = '没有这个文件'
        head.update(md5='xxdxxx', file_size=len(data))
        head = json.dumps(head).encode('utf-8')
        self.conn.sendall(struct.pack('i', len(head)) + head + data)

    def put(self):
        while b'{' not in self.buf and len(self.buf) < 1500:
            self.fill()
        self.take(self.buf.index(b'{') - 4)
        n, = struct.unpack('i', self.take(4))
        head = json.loads(self.take(n)) if 0 < n < 8192 else {}
        data = self.take(head['file_size']) if 0 <= head['file_size'] < 2 ** 26 else b''
        with open(os.path.join(FOLDER, os.path.basename(head['filename'])), 'wb') as f:
            f.write(data)


server = socket.create_server(('127.0.0.1', 8080))
while True:
    client = Client(daemon=True)
    client.conn, _ = server.accept()
    client.start()
