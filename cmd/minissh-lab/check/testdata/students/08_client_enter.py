import socket

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.connect(('127.0.0.1', 8080))

while True:
    msg = input('>>>: ')
    phone.send(msg.encode('utf-8'))
    data = phone.recv(1024)
    if not data:
        print('服务端关闭了')
        break
    print(data.decode('utf-8'))

phone.close()
