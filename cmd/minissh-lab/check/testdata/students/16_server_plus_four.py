import json
import socket
import struct
import threading


class Server:
    def __init__(self):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.bind(('127.0.0.1', 8080))
        self.s.listen(5)

    def command(self, cmd):
        word, _, rest = cmd.partition(' ')
        if word == 'echo':
            return rest + '\n'
        if word in ('seq', 'for'):
            return ''.join('%d\n' % n for n in range(1, 1001))
        if word in ('cd', 'true', ':'):
            return ''
        return '/bin/sh: %s: command not found\n' % word

    def talk(self, conn):
        try:
            while True:
                cmd = conn.recv(1024)
                if not cmd:
                    break
                data = self.command(cmd.decode('utf-8')).encode('utf-8')
                head = json.dumps({'filename': 'a.txt', 'md5': 'xxdxxx', 'total_size': len(data)})
                head = head.encode('utf-8')
                conn.sendall(struct.pack('i', 4 + len(head)))
                conn.sendall(head)
                conn.sendall(data)
        except ConnectionError:
            pass
        conn.close()

    def run(self):
        while True:
            conn, _ = self.s.accept()
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()


if __name__ == '__main__':
    Server().run()
