import socket

server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 9000))
print('udp server on', server.getsockname())

while True:
    data, addr = server.recvfrom(65535)
    if not data:
        break
    print(addr, '->', data)
    server.sendto(data.upper(), addr)

server.close()
print('bye')
