import socket
import struct
import sys


class SSHClient:
    LIMIT = 1 << 26

    def __init__(self):
        self.conn = socket.socket()
        self.conn.connect(('127.0.0.1', 8080))

    def recv_n(self, n):
        data = bytearray()
        while len(data) < n:
            tmp = self.conn.recv(min(n - len(data), 4096))
            if not tmp:
                sys.exit('断开')
            data.extend(tmp)
        return bytes(data)

    def run(self):
        while True:
            cmd = input('>>: ').strip()
            if not cmd:
                continue
            self.conn.sendall(cmd.encode('utf-8'))
            n = struct.unpack('!i', self.recv_n(4))[0]
            if n < 0 or n > self.LIMIT:
                sys.exit('length %d' % n)
            print(self.recv_n(n).decode('utf-8'))


SSHClient().run()
