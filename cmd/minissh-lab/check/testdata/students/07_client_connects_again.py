import socket

addr = ('127.0.0.1', 8080)
s = socket.socket()

while True:
    s.connect(addr)
    msg = ''
    while msg == '':
        msg = input('>>> ').strip()
    s.sendall(msg.encode('utf-8'))
    data = s.recv(1024)
    if not data:
        break
    print(data.decode('utf-8'))

s.close()
