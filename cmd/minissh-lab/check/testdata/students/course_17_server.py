# 第十七、十八章 文件传输
import json
import os
import socket
import struct

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
phone.bind(('127.0.0.1', 8080))
phone.listen(5)


def get(conn, cmds):
    filename = cmds[1]
    header_dic = {
        'filename': filename,
        'md5': 'xxdxxx',
        'file_size': os.path.getsize(filename),
    }
    header_bytes = json.dumps(header_dic).encode('utf-8')
    conn.send(struct.pack('i', len(header_bytes)))
    conn.send(header_bytes)
    with open(filename, 'rb') as f:
        for line in f:
            conn.send(line)


def put(conn):
    header_size = struct.unpack('i', conn.recv(4))[0]
    header_dic = json.loads(conn.recv(header_size).decode('utf-8'))
    total_size = header_dic['file_size']
    with open(header_dic['filename'], 'wb') as f:
        recv_size = 0
        while recv_size < total_size:
            line = conn.recv(1024)
            f.write(line)
            recv_size += len(line)


while True:
    conn, client_addr = phone.accept()
    while True:
        try:
            res = conn.recv(8096)
            if not res:
                break
            cmds = res.decode('utf-8').split()
            if cmds[0] == 'get':
                get(conn, cmds)
            elif cmds[0] == 'put':
                put(conn)
        except ConnectionResetError:
            break
    conn.close()
