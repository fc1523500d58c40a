# 第六章 服务端
import socket

HOST = '127.0.0.1'
PORT = 8080

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((HOST, PORT))
server.listen(5)
print('starting...')

while True:
    conn, addr = server.accept()
    print('客户端来了', addr)
    msg = conn.recv(1024)
    print('收到', msg)
    conn.send(msg)
    conn.close()
