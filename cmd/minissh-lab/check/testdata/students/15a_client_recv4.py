import socket
import struct
import sys

MAX = 10 * 1024 * 1024
phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect(('127.0.0.1', 8080))

while True:
    cmd = input('>>>: ').strip()
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
    # 1、收报头，4 个字节
    header = phone.recv(4)
    if not header:
        break
    total = struct.unpack('i', header)[0]
    if total < 0 or total > MAX:
        sys.exit('长度不对: %d' % total)
    # 2、收数据
    chunks = []
    left = total
    while left > 0:
        chunk = phone.recv(min(left, 1024))
        if not chunk:
            sys.exit('服务端断开')
        chunks.append(chunk)
        left -= len(chunk)
    print(b''.join(chunks).decode('utf-8'))
phone.close()
