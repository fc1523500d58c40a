import socket
from addr import address, started

family, ip_port = address(9000)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind(ip_port)
started(udp)
while True:
    data, client_addr = udp.recvfrom(1024)
    udp.sendto(data.upper(), client_addr)
