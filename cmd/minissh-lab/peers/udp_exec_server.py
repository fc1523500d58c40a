import socket
import sys
from addr import address, started
from shell import popen

family, ip_port = address(9003)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind(ip_port)
started(udp)
while True:
    cmd, addr = udp.recvfrom(1024)
    out, err = popen(cmd.decode('utf-8'))
    if 'two' in sys.argv:
        udp.sendto(err.encode('utf-8'), addr)
        udp.sendto(out.encode('utf-8'), addr)
    else:
        udp.sendto((out + err).encode('utf-8'), addr)
