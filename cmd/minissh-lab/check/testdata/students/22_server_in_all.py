import socket
import threading
import time


def serve(conn):
    end = time.monotonic() + 3
    data = b''
    try:
        while True:
            conn.settimeout(max(0.001, end - time.monotonic()))
            part = conn.recv(65536)
            if not part:
                break
            data += part
        conn.sendall(data[::-1])
    except OSError as e:
        print('gave up:', e)
    conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
