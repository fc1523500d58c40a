import socketserver


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Server(socketserver.TCPServer):
    allow_reuse_address = True


Server(('127.0.0.1', 8080), Echo).serve_forever()
