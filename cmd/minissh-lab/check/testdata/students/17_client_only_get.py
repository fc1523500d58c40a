import json
import os
import socket
import struct


class Client:
    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.connect(('127.0.0.1', 8080))

    def read(self, n):
        if not 0 <= n <= 200000000:
            raise SystemExit('长度 %d 不对' % n)
        parts = []
        while n:
            part = self.sock.recv(min(n, 4096))
            if not part:
                raise SystemExit('断了')
            parts.append(part)
            n -= len(part)
        return b''.join(parts)

    def get(self, name):
        self.sock.sendall(b'get ' + name.encode('utf-8'))
        length = struct.unpack('i', self.read(4))[0]
        if length > 4096:
            raise SystemExit('报头太长')
        head = json.loads(self.read(length).decode('utf-8'))
        content = self.read(head['file_size'])
        if 'error' in head:
            print('服务端:', head['error'])
            return
        with open(os.path.basename(name), 'wb') as f:
            f.write(content)
        print('下载完成', name, len(content))

    def run(self):
        while True:
            words = input('>>: ').split(None, 1)
            if not words:
                continue
            if len(words) == 2 and words[0] == 'get':
                self.get(words[1])
            else:
                print('没有这个命令:', words[0])


Client().run()
