import socket
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))
for i in range(10):
    client.send(('msg%d;' % i).encode())
client.close()
