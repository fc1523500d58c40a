from socketserver import StreamRequestHandler, ThreadingTCPServer


class Reverse(StreamRequestHandler):
    timeout = 3

    def handle(self):
        try:
            question = self.rfile.read()
            self.wfile.write(bytes(reversed(question)))
        except (TimeoutError, ConnectionError):
            pass


class Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        print('lost', client_address)


with Server(('127.0.0.1', 8080), Reverse) as server:
    server.serve_forever()
