import socket
from addr import address

family, ip_port = address(9000)
udp = socket.socket(family, socket.SOCK_DGRAM)
while True:
    msg = input('>>: ').strip()
    if msg == 'quit':
        break
    udp.sendto(msg.encode('utf-8'), ip_port)  # an empty datagram is sent, too
    data, server_addr = udp.recvfrom(1024)
    print('[%d] %s' % (len(data), data.decode('utf-8')))
udp.close()
