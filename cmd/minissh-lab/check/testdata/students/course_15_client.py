# 第十五章 解决粘包 简单版 客户端
import socket
import struct

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect(('127.0.0.1', 8080))

while True:
    cmd = input('>>>: ').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    # 第一步：先收报头
    header = phone.recv(4)
    total_size = struct.unpack('i', header)[0]
    # 第二步：接收真实的数据
    recv_size = 0
    recv_data = b''
    while recv_size < total_size:
        recv_data += phone.recv(1024)
        recv_size += len(recv_data)
    print(recv_data.decode('utf-8'))

phone.close()
