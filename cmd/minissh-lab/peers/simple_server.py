import socket
import struct
import sys
from addr import address, started
from shell import popen

fmt = sys.argv[2] if len(sys.argv) > 2 else 'i'
family, ip_port = address(8080)
phone = socket.socket(family, socket.SOCK_STREAM)
phone.bind(ip_port)
phone.listen(5)
started(phone)
conn, addr = phone.accept()
while True:
    cmd = conn.recv(1024)
    if not cmd:
        break
    out, err = popen(cmd.decode('utf-8'))
    out, err = out.encode('utf-8'), err.encode('utf-8')
    conn.send(struct.pack(fmt, len(out) + len(err)))  # 先发报头
    conn.send(out)
    conn.send(err)
conn.close()
phone.close()
