import socket

data = bytearray()
for i in range(10):
    data += b'msg%d;' % i
with socket.create_connection(('127.0.0.1', 8080)) as client:
    client.sendall(data)
