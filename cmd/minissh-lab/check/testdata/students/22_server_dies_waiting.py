import socket

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('127.0.0.1', 8080))
server.listen(5)
while True:
    conn, addr = server.accept()
    conn.settimeout(3)
    with conn:
        data = b''
        while True:
            try:
                part = conn.recv(4096)
            except ConnectionResetError:
                break
            if not part:
                conn.sendall(data[::-1])
                break
            data += part
