import socket
from lab import address

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(address()[1])
while True:
    msg, addr = udp.recvfrom(65535)
    udp.sendto(msg.upper(), addr)
