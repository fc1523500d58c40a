import socket
import struct
import sys
from addr import address

fmt = sys.argv[2] if len(sys.argv) > 2 else 'i'
overcount = 'overcount' in sys.argv  # the bug as it is published
family, ip_port = address(8080)
s = socket.socket(family, socket.SOCK_STREAM)
s.connect(ip_port)
while True:
    msg = input('>>: ').strip()
    if len(msg) == 0:
        continue
    if msg == 'quit':
        break
    s.send(msg.encode('utf-8'))
    length = struct.unpack(fmt, s.recv(4))[0]
    print('length', length)
    if length > 1000000:
        break
    recv_size = 0
    recv_data = b''
    while recv_size < length:
        if overcount:
            recv_data += s.recv(1024)
            recv_size += len(recv_data)  # counts the first bytes again and again
        else:
            got = s.recv(1024)
            recv_data += got
            recv_size += len(got)
    print('[%d]' % len(recv_data))
    print(recv_data.decode('utf-8'))
s.close()
