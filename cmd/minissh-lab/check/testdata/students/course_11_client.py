# 第十一章 模拟ssh 客户端
import socket

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect(('127.0.0.1', 8080))

while True:
    # 1、发命令
    cmd = input('>>>: ').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    # 2、拿结果
    data = phone.recv(1024)
    print(data.decode('utf-8'))

phone.close()
