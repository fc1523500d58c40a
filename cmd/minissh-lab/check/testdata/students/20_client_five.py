import socket

server_addr = ('127.0.0.1', 9000)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

while True:
    msg = input('>>: ')
    if msg == 'q':
        break
    udp.sendto(msg.encode('utf-8'), server_addr)
    data, addr = udp.recvfrom(5)
    print('from', addr)
    print(data.decode('utf-8'))

udp.close()
