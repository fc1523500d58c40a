# 拒绝了长度，却接着用这个连接
import socket
import struct

phone = socket.create_connection(('127.0.0.1', 8080))


def exact(n):
    data = b''
    while len(data) < n:
        res = phone.recv(n - len(data))
        if not res:
            raise EOFError('closed')
        data += res
    return data


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
    size = struct.unpack('i', exact(4))[0]
    if not 0 <= size <= 1 << 24:
        print('长度不对 bad length')
        continue
    print(exact(size).decode('utf-8'))
