import socket
import sys
from addr import address

family, ip_port = address(9003)
udp = socket.socket(family, socket.SOCK_DGRAM)
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    udp.sendto(cmd.encode('utf-8'), ip_port)
    for _ in range(2 if 'two' in sys.argv else 1):
        data, addr = udp.recvfrom(1024)
        print('[%d]' % len(data))
        print(data.decode('utf-8'), end='')
udp.close()
