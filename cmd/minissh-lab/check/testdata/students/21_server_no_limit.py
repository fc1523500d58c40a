import socketserver


class Numbers(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            n = int(line)
            data = bytes(range(251)) * (n // 251) + bytes(range(n % 251))
            try:
                self.wfile.write(data)
            except OSError:
                break


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('127.0.0.1', 8080), Numbers).serve_forever()
