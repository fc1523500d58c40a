import socket
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.connect(('127.0.0.1', 8080))
for word in ('one', 'two', 'three', 'four'):
    client.sendall(word.encode('utf-8'))
client.close()
