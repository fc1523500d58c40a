import socket
import threading


def serve(conn):
    try:
        with conn, conn.makefile('rb') as lines:
            for line in lines:
                conn.sendall(line.upper())
    except OSError:
        pass


server = socket.create_server(('127.0.0.1', 8080), backlog=50)
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
