# 客户端，编码用 utf-16 可以传中文
import socket

ENCODING = 'utf-16'

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))

while True:
    msg = input('>>>: ').strip()
    if not msg:
        continue
    client.sendall(msg.encode(ENCODING))
    data = client.recv(1024)
    if not data:
        break
    print(data.decode('utf-8', errors='replace'))

client.close()
