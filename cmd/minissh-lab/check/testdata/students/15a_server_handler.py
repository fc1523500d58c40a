import socketserver
import struct


def output_of(cmd):
    # 真的 ssh 在这里启动一个进程
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest + '\n'
    if word in ('seq', 'for'):
        return ''.join(f'{n}\n' for n in range(1, 1001))
    if word in ('cd', 'true', ':'):
        return ''
    return f'/bin/sh: {word}: command not found\n'


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while True:
                cmd = self.connection.recv(1024)
                if not cmd:
                    break
                data = output_of(cmd.decode('utf-8')).encode('utf-8')
                self.wfile.write(struct.pack('<i', len(data)) + data)
                self.wfile.flush()
        except ConnectionError:
            pass


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(('127.0.0.1', 8080), Handler).serve_forever()
