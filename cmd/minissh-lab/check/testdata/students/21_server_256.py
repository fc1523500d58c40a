import socket
import threading

PERIOD = bytes(i % 256 for i in range(256)) * 256


def serve(conn):
    conn.settimeout(3)
    for line in conn.makefile('rb'):
        left = int(line)
        while left > 0:
            piece = PERIOD[:left]
            try:
                left -= conn.send(piece)
            except OSError:
                return
    conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
