import socket
import threading

NOTHING = b'(no output)\n'


def popen(cmd):
    """模拟 subprocess.Popen: 返回 stdout, stderr"""
    word, _, rest = cmd.strip().partition(' ')
    if word == 'echo':
        return rest.encode('utf-8') + b'\n', b''
    elif word in ('seq', 'for'):
        return b''.join(b'%d\n' % n for n in range(1, 1001)), b''
    elif word in ('cd', 'true', ':'):
        return b'', b''
    return b'', b'/bin/sh: ' + word.encode('utf-8') + b': command not found\n'


class Session(threading.Thread):
    def __init__(self, conn):
        super().__init__(daemon=True)
        self.conn = conn

    def run(self):
        with self.conn:
            try:
                for cmd in iter(lambda: self.conn.recv(1024), b''):
                    out, err = popen(cmd.decode('utf-8'))
                    self.conn.sendall(out + err or NOTHING)
            except ConnectionError:
                pass


listener = socket.create_server(('127.0.0.1', 8080))
while True:
    Session(listener.accept()[0]).start()
