import socketserver


class Echo(socketserver.DatagramRequestHandler):
    def handle(self):
        # 一个数据报，一次 handle
        data, sock = self.request
        print(self.client_address, len(data))
        sock.sendto(data.upper(), self.client_address)

    def finish(self):
        """The base class would send what was written to wfile, an empty datagram."""


if __name__ == '__main__':
    with socketserver.ThreadingUDPServer(('127.0.0.1', 9000), Echo) as server:
        server.serve_forever()
