import socket
import struct
import sys

MAX = 1 << 25


class Client:
    def __init__(self):
        self.s = socket.create_connection(('127.0.0.1', 8080))
        self.f = self.s.makefile('rb')

    def length(self):
        head = self.f.read(4)
        if len(head) < 4:
            sys.exit('server closed')
        n, = struct.unpack('i', head)
        if not 0 <= n <= MAX:
            sys.exit('refused: %d' % n)
        return n

    def data(self, total):
        recv_data, recv_size = b'', 0
        while recv_size < total:
            res = self.f.read1(min(1024, total - recv_size))
            if not res:
                sys.exit('server closed')
            recv_data = res
            recv_size += len(res)
        return recv_data

    def run(self):
        while True:
            cmd = input('>>: ').strip()
            if cmd:
                self.s.sendall(cmd.encode('utf-8'))
                print(self.data(self.length()).decode('utf-8', 'replace'))


Client().run()
