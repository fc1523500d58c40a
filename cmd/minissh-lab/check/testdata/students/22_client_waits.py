import socket
import sys

s = socket.create_connection(('127.0.0.1', 8080))
s.sendall(sys.stdin.read().encode())
s.shutdown(socket.SHUT_WR)
pieces = []
while True:
    piece = s.recv(512)
    if not piece:
        break
    pieces.append(piece)
print(b''.join(pieces).decode())
