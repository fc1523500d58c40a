import socket
from lab import address

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    msg = input('>>: ')
    udp.sendto(msg.encode('utf-8'), address()[1])
    back_msg, addr = udp.recvfrom(65535)
    print(back_msg.decode('utf-8'))
