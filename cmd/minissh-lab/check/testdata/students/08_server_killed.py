from socket import *

BUFSIZE = 1024
tcp = socket(AF_INET, SOCK_STREAM)
tcp.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
tcp.bind(('127.0.0.1', 8080))
tcp.listen(5)

while True:
    conn, addr = tcp.accept()
    print('new client', addr)
    while True:
        data = conn.recv(BUFSIZE)
        if not data:
            break
        print('from client:', data)
        conn.sendall(data.upper())
    conn.close()
