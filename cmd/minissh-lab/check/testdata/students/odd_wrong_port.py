import socket
import threading

PORT = 8888


def echo(conn):
    try:
        while True:
            data = conn.recv(1024)
            if not data:
                break
            conn.sendall(data.upper())
    except ConnectionError:
        pass
    conn.close()


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', PORT))
s.listen(5)
print('listening on', PORT)
while True:
    c, a = s.accept()
    threading.Thread(target=echo, args=(c,), daemon=True).start()
