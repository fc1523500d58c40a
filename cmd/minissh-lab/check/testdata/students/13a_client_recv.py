import socket

s = socket.create_connection(('127.0.0.1', 8080))
for word in ['one', 'two', 'three', 'four']:
    s.send(word.encode())
    answer = s.recv(1024)
    if not answer:
        break
s.close()
