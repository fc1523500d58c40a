import socket
import struct
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))
recv_size = 0


def header():
    h = b''
    while len(h) < 4:
        b = client.recv(4 - len(h))
        if not b:
            sys.exit('断开')
        h += b
    size = struct.unpack('i', h)[0]
    if size < 0 or size > 1024 * 1024 * 100:
        sys.exit('长度不对')
    return size


while True:
    cmd = input('>>>: ').strip()
    if not cmd:
        continue
    client.sendall(cmd.encode('utf-8'))
    total = header()
    recv_data = b''
    while recv_size < total:
        res = client.recv(min(1024, total - recv_size))
        if not res:
            sys.exit('断开')
        recv_data += res
        recv_size += len(res)
    print(recv_data.decode('utf-8', 'replace'))
