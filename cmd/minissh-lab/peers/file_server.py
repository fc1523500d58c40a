import json
import os
import socket
import struct
import sys
from addr import address, started

share = sys.argv[2]
late = 'late' in sys.argv  # read late: all that has been sent is there at once
family, ip_port = address(8080)
phone = socket.socket(family, socket.SOCK_STREAM)
phone.bind(ip_port)
phone.listen(5)
started(phone)
conn, addr = phone.accept()
while True:
    if late:
        sys.stdin.readline()
    res = conn.recv(1024)  # 一次 recv 当作一条命令
    if not res:
        break
    print('recv', len(res), res[:9], flush=True)
    cmds = res[:64].decode('utf-8', 'replace').split()
    if cmds[0] == 'get':
        path = os.path.join(share, cmds[1])  # ../ is not looked for
        head_dic = {'filename': cmds[1], 'md5': 'xxdxxx', 'file_size': os.path.getsize(path)}
        head = json.dumps(head_dic).encode('utf-8')
        conn.send(struct.pack('i', len(head)))
        conn.send(head)
        with open(path, 'rb') as f:
            for line in f:
                conn.send(line)
    elif cmds[0] == 'put':
        head_len = struct.unpack('i', conn.recv(4))[0]  # glued: it has been read already
        head_dic = json.loads(conn.recv(head_len).decode('utf-8'))
        size = head_dic['file_size']
        with open(os.path.join(share, head_dic['filename']), 'wb') as f:
            recv_size = 0
            while recv_size < size:
                data = conn.recv(1024)
                f.write(data)
                recv_size += len(data)
        print('saved', head_dic['filename'], size, flush=True)
conn.close()
phone.close()
