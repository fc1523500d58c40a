import socket
import sys

s = socket.socket()
s.settimeout(3)
s.connect(('127.0.0.1', 8080))
for line in sys.stdin:
    s.sendall(line.encode())
s.close()
data = b''
while True:
    part = s.recv(1024)
    if not part:
        break
    data += part
print(data.decode())
