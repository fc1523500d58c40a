# 第十六章 解决粘包 终极版 客户端
import json
import socket
import struct

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect(('127.0.0.1', 8080))

while True:
    cmd = input('>>>: ').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    # 第一步：报头的长度
    obj = phone.recv(4)
    header_size = struct.unpack('i', obj)[0]
    # 第二步：报头
    header_bytes = phone.recv(header_size)
    header_dic = json.loads(header_bytes.decode('utf-8'))
    print(header_dic)
    total_size = header_dic['total_size']
    # 第三步：数据
    recv_size = 0
    recv_data = b''
    while recv_size < total_size:
        res = phone.recv(1024)
        recv_data += res
        recv_size += len(res)
    print(recv_data.decode('utf-8'))

phone.close()
