import socketserver


class MyServer(socketserver.BaseRequestHandler):
    def handle(self):
        conn = self.request
        print(self.client_address)
        while True:
            try:
                data = conn.recv(1024)
                if not data:
                    break
                conn.sendall(data.upper())
            except ConnectionResetError:
                break


if __name__ == '__main__':
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    s = socketserver.ThreadingTCPServer(('127.0.0.1', 8080), MyServer)
    s.daemon_threads = True
    s.serve_forever()
