# 第十七、十八章 文件传输 客户端
import json
import os
import socket
import struct

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect(('127.0.0.1', 8080))


def get():
    header_size = struct.unpack('i', phone.recv(4))[0]
    header_bytes = phone.recv(header_size)
    header_dic = json.loads(header_bytes.decode('utf-8'))
    total_size = header_dic['file_size']
    filename = header_dic['filename']
    with open(filename, 'wb') as f:
        recv_size = 0
        while recv_size < total_size:
            line = phone.recv(1024)
            f.write(line)
            recv_size += len(line)
            print('总大小：%s 已下载：%s' % (total_size, recv_size))


def put(filename):
    header_dic = {'filename': filename, 'md5': 'xxdxxx', 'file_size': os.path.getsize(filename)}
    header_bytes = json.dumps(header_dic).encode('utf-8')
    phone.send(struct.pack('i', len(header_bytes)))
    phone.send(header_bytes)
    with open(filename, 'rb') as f:
        for line in f:
            phone.send(line)


while True:
    cmd = input('>>: ').strip()  # get a.txt
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    cmds = cmd.split()
    if cmds[0] == 'get':
        get()
    elif cmds[0] == 'put':
        put(cmds[1])
