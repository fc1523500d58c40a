# UDP 服务端
import socket

BUF = 5

ip_port = ('127.0.0.1', 9000)
udp_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp_server.bind(ip_port)

while True:
    msg, client = udp_server.recvfrom(BUF)
    print('收到', msg, client)
    # UDP 没有连接，要写对方的地址
    udp_server.sendto(msg.upper(), client)

udp_server.close()
