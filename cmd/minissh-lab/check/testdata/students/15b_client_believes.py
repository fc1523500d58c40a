import socket
import struct

c = socket.socket()
c.connect(('127.0.0.1', 8080))


def recv_exact(n):
    data = b''
    while len(data) < n:
        res = c.recv(min(n - len(data), 1024))
        if not res:
            raise EOFError('server closed')
        data += res
    return data


try:
    while True:
        msg = input('>>: ').strip()
        if msg:
            c.sendall(msg.encode('utf-8'))
            total_size = struct.unpack('i', recv_exact(4))[0]
            print('共', total_size)
            print(recv_exact(total_size).decode('utf-8'))
except EOFError:
    print('再见')
