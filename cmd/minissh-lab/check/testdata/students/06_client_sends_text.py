import socket

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))

while True:
    msg = input('请输入要发送的内容：').strip()
    if not msg:
        continue
    client.send(msg)
    data = client.recv(1024)
    if not data:
        break
    print('服务端：' + data.decode('utf-8'))

client.close()
