import json
import os
import socket
import struct
import sys
from addr import address

download = sys.argv[2]
name_key, size_key = sys.argv[3] if len(sys.argv) > 3 else 'filename', sys.argv[4] if len(sys.argv) > 4 else 'file_size'
family, ip_port = address(8080)
phone = socket.socket(family, socket.SOCK_STREAM)
phone.connect(ip_port)
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    phone.send(cmd.encode('utf-8'))
    verb, name = cmd.split()
    if verb == 'get':
        head_len = struct.unpack('i', phone.recv(4))[0]
        head_dic = json.loads(phone.recv(head_len).decode('utf-8'))
        total = head_dic[size_key]
        head_dic[name_key], head_dic['md5']
        with open(os.path.join(download, os.path.basename(name)), 'wb') as f:
            recv_size = 0
            while recv_size < total:
                data = phone.recv(1024)
                f.write(data)
                recv_size += len(data)
        print('got', name, recv_size, head_dic.get('error', ''))
    elif verb == 'put':  # and at once, without waiting for anything
        path = os.path.join(download, name)
        head = json.dumps({name_key: name, 'md5': 'xxdxxx', size_key: os.path.getsize(path)}).encode('utf-8')
        phone.send(struct.pack('i', len(head)))
        phone.send(head)
        with open(path, 'rb') as f:
            for line in f:
                phone.send(line)
phone.close()
