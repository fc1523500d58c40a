import socket

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('127.0.0.1', 8080))
server.listen(5)
while True:
    conn, addr = server.accept()
    conn.settimeout(3)
    try:
        question = conn.recv(1000000)
        conn.sendall(question[::-1])
    except OSError as e:
        print(e)
    conn.close()
