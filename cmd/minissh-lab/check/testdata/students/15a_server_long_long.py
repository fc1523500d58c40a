import socket
import struct


class Ssh:
    def __init__(self):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(('127.0.0.1', 8080))
        self.sock.listen(5)

    def popen(self, cmd):
        word, _, rest = cmd.partition(' ')
        if word == 'echo':
            return rest + '\n'
        if word in ('seq', 'for'):
            return ''.join('%d\n' % n for n in range(1, 1001))
        if word in ('cd', 'true', ':'):
            return ''
        return '/bin/sh: %s: command not found\n' % word

    def answer(self, conn):
        while True:
            cmd = conn.recv(1024)
            if not cmd:
                break
            data = self.popen(cmd.decode('utf-8')).encode('utf-8')
            # q 可以表示更大的文件
            conn.sendall(struct.pack('q', len(data)))
            conn.sendall(data)

    def run(self):
        while True:
            conn, addr = self.sock.accept()
            try:
                self.answer(conn)
            except ConnectionError:
                pass
            conn.close()


Ssh().run()
