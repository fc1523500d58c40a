import socket
import threading


def serve(conn):
    conn.settimeout(30)
    try:
        while True:
            line = conn.recv(100)
            if not line:
                return
            n = int(line)
            data = bytes(i % 251 for i in range(min(n, 502))) * (n // 502 + 1)
            conn.send(data[:n])
    except OSError as e:
        print(e)
    finally:
        conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
