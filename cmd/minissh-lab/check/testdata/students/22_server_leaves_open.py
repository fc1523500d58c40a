import socket
import threading

clients = []


def serve(conn):
    clients.append(conn)
    conn.settimeout(3)
    data = b''
    try:
        for part in iter(lambda: conn.recv(65536), b''):
            data += part
        conn.sendall(data[::-1])
        print('answered')
    except OSError as e:
        print(e)
        conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
