import socket
import struct
import sys


def read4(s):
    data = b''
    while len(data) < 4:
        new = s.recv(4 - len(data))
        if not new:
            sys.exit('closed')
        data += new
    return data


phone = socket.socket()
phone.connect(('127.0.0.1', 8080))
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    total_size = struct.unpack('i', read4(phone))[0]
    if total_size < 0 or total_size > 10000000:
        sys.exit('bad length')
    recv_size = 0
    recv_data = b''
    while recv_size <= total_size:
        res = phone.recv(1024)
        if not res:
            sys.exit('closed')
        recv_data += res
        recv_size += len(res)
    print(recv_data.decode('utf-8'))
