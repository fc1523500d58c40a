import json
import socket
import struct
import sys
from addr import address, started
from shell import popen

fmt = sys.argv[2] if len(sys.argv) > 2 else 'i'
key = sys.argv[3] if len(sys.argv) > 3 else 'total_size'
family, ip_port = address(8080)
phone = socket.socket(family, socket.SOCK_STREAM)
phone.bind(ip_port)
phone.listen(5)
started(phone)
while True:
    conn, addr = phone.accept()
    while True:
        cmd = conn.recv(1024)
        if not cmd:
            break
        out, err = popen(cmd.decode('utf-8'))
        data = (out + err).encode('utf-8')
        head_dic = {'filename': 'a.txt', 'md5': 'xxdxxx', key: len(data)}
        head_bytes = json.dumps(head_dic).encode('utf-8')
        conn.send(struct.pack(fmt, len(head_bytes)))  # 报头长度
        conn.send(head_bytes)  # 报头
        conn.sendall(data)  # 数据
    conn.close()
