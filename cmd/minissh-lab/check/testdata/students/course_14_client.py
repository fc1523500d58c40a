# 第十四章 解决粘包 客户端
import socket

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', 8080))

while True:
    msg = input('>>: ').strip()
    if len(msg) == 0:
        continue
    if msg == 'quit':
        break
    s.send(msg.encode('utf-8'))
    length = int(s.recv(1024).decode('utf-8'))
    s.send('recv_ready'.encode('utf-8'))
    recv_size = 0
    recv_data = b''
    while recv_size < length:
        recv_data += s.recv(1024)
        recv_size += len(recv_data)
    print(recv_data.decode('utf-8'))

s.close()
