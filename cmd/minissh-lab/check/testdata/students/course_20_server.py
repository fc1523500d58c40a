# 第二十章 基于UDP的套接字 服务端
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # 数据报
server.bind(('127.0.0.1', 9000))

while True:
    # 不需要listen
    # 也不需要accept
    data, client_addr = server.recvfrom(1024)
    print('===>', data, client_addr)
    # 发给谁，要写明
    server.sendto(data.upper(), client_addr)

server.close()
