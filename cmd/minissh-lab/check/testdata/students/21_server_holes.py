import socket
import threading
import time

PERIOD = bytes(range(251)) * 4000


def serve(conn):
    conn.setblocking(False)
    while True:
        try:
            line = conn.recv(100)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        except OSError:
            return conn.close()
        if not line:
            return conn.close()
        n, at = int(line), 0
        while at < n:
            try:
                conn.send(PERIOD[at % 251:][:min(n - at, 1000000)])
                at += min(n - at, 1000000)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                return conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
