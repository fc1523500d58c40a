import socket
import sys
from addr import address, started
from shell import popen

variant = sys.argv[2] if len(sys.argv) > 2 else 'recv_ready'  # or any, none
family, ip_port = address(8080)
s = socket.socket(family, socket.SOCK_STREAM)
s.bind(ip_port)
s.listen(5)
started(s)
conn, addr = s.accept()
while True:
    msg = conn.recv(1024)
    if not msg:
        break
    out, err = popen(msg.decode('utf-8'))
    ret = (out + err).encode('utf-8')
    conn.send(str(len(ret)).encode('utf-8'))
    if variant == 'none':
        conn.sendall(ret)
        continue
    data = conn.recv(1024).decode('utf-8')
    if variant == 'any' or data == 'recv_ready':
        conn.sendall(ret)
conn.close()
s.close()
