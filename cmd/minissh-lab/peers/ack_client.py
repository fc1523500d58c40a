import socket
import sys
from addr import address

ack = sys.argv[2] if len(sys.argv) > 2 else 'recv_ready'
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
    length = int(s.recv(1024).decode('utf-8'))
    if ack != 'none':
        s.send(ack.encode('utf-8'))
    recv_size = 0
    data = b''
    while recv_size < length:
        got = s.recv(1024)
        data += got
        recv_size += len(got)
    print('[%d]' % len(data))
    print(data.decode('utf-8'))
s.close()
