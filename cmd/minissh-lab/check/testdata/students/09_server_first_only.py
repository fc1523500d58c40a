import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('127.0.0.1', 8080))
server.listen(5)
print('server is running')

conn, addr = server.accept()
while True:
    try:
        data = conn.recv(1024)
    except ConnectionResetError:
        break
    if len(data) == 0:
        print('client %s:%s left' % addr)
        break
    conn.sendall(data.upper())
conn.close()
server.close()
