import socketserver


def shell(cmd):
    """模拟命令：老师用的是 subprocess.Popen(cmd, shell=True)"""
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return (rest + '\n').encode('utf-8')
    if word in ('seq', 'for'):
        return ''.join('%d\n' % i for i in range(1, 1001)).encode('utf-8')
    if word in ('cd', 'true', ':'):
        return b''
    return ('/bin/sh: %s: command not found\n' % word).encode('utf-8')


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            try:
                cmd = self.request.recv(1024)
                if not cmd:
                    return
                self.request.sendall(shell(cmd.decode('utf-8')))
            except ConnectionError:
                return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(('127.0.0.1', 8080), Handler) as server:
    server.serve_forever()
