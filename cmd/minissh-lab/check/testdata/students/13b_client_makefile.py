import socket

client = socket.socket()
client.connect(('127.0.0.1', 8080))
with client.makefile('w', encoding='ascii', newline='') as out:
    for i in range(10):
        out.write(f'msg{i};')
client.close()
