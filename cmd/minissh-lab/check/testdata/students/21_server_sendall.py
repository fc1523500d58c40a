import socket
import threading


def serve(conn):
    conn.settimeout(3)
    try:
        for line in conn.makefile('rb'):
            n = int(line)
            conn.sendall((bytes(range(251)) * (n // 251 + 1))[:n])
    except OSError as e:
        print(e)
    finally:
        conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
