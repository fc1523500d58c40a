# UDP 服务端
# connect 以后可以用 send
from socket import socket, AF_INET, SOCK_DGRAM

udp = socket(AF_INET, SOCK_DGRAM)
udp.bind(('127.0.0.1', 9000))

while True:
    try:
        data, client = udp.recvfrom(4096)
        print('recv', data, client)
        udp.connect(client)
        udp.send(data.upper())
    except ConnectionError as e:
        print(e)
