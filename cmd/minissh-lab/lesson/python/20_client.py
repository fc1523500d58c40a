import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    msg = input('>>: ')
#[starter
    if not msg:  # 练习：空数据报能不能发？ / exercise: can an empty datagram be sent?
        continue
    udp.sendto(msg.encode('utf-8'), ('127.0.0.1', port))
    data, addr = udp.recvfrom(5)
#]
#[mended
    udp.sendto(msg.encode('utf-8'), ('127.0.0.1', port))
    data, addr = udp.recvfrom(65535)
#]
    print(data.decode('utf-8'))
