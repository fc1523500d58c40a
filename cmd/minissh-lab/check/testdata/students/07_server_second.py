import socket

server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    number = 0
    while True:
        data = conn.recv(1024)
        if not data:
            break
        number += 1
        if number > 1:
            data = b'again ' + data
        conn.sendall(data.upper())
    conn.close()
