from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Upper(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def body(self):
        if self.headers.get('Transfer-Encoding') == 'chunked':
            pieces = []
            while True:
                n = int(self.rfile.readline().partition(b';')[0], 16)
                pieces.append(self.rfile.read(n))
                self.rfile.readline()
                if n == 0:
                    return b''.join(pieces)
        return self.rfile.read(int(self.headers.get('Content-Length', '0')))

    def do_POST(self):
        answer = self.body().upper()
        self.send_response(200 if self.path == '/upper' else 404)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self):
        self.send_error(404)


ThreadingHTTPServer(('127.0.0.1', 8080), Upper).serve_forever()
