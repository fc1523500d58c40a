import socket
from addr import address

family, ip_port = address(8080)
phone = socket.socket(family, socket.SOCK_STREAM)
phone.connect(ip_port)
while True:
    msg = input('>>>').strip()
    if not msg:
        continue
    if msg == 'quit':
        break
    phone.send(msg.encode('utf-8'))
    data = phone.recv(1024)
    print(data.decode('utf-8'))
phone.close()
