# 第二十章 基于UDP的套接字 客户端
import socket

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

while True:
    msg = input('>>: ').strip()

    # 不需要connect
    client.sendto(msg.encode('utf-8'), ('127.0.0.1', 9000))

    data, server_addr = client.recvfrom(1024)
    print(data, server_addr)

client.close()
