import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('127.0.0.1', port))
while True:
#[starter
    msg, addr = udp.recvfrom(5)  # 练习：长的消息呢？空的呢？ / exercise: long ones? empty ones?
    if not msg:
        continue
#]
#[mended
    msg, addr = udp.recvfrom(65535)  # 空的也是一个数据报 / an empty one is a datagram, too
#]
    udp.sendto(msg.upper(), addr)
