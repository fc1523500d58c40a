import json
import socket
import struct
import sys
import time

phone = socket.socket()
phone.connect(('127.0.0.1', 8080))


def exact(n):
    res = b''
    while len(res) < n:
        b = phone.recv(n - len(res))
        if not b:
            sys.exit('服务端走了')
        res += b
    return res


while True:
    cmd = input('>>>').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    head_len = struct.unpack('i', exact(4))[0]
    if not 1 < head_len < 5000:
        sys.exit('报头长度不对')
    head = json.loads(exact(head_len))
    total = head['total_size']
    if total < 0 or total > 100000000:
        sys.exit('数据长度不对')
    data = b''
    if total:
        time.sleep(0.5)  # 等数据都到了再收
        data = phone.recv(total)
        if not data:
            break
    print(data.decode('utf-8', 'ignore'))
