import socket
import sys

s = socket.socket()
s.settimeout(3)
s.connect(('127.0.0.1', 8080))
s.sendall(sys.stdin.read().encode())
answer = b''
try:
    while True:
        part = s.recv(1024)
        if not part:
            break
        answer += part
except socket.timeout:
    sys.exit('no answer')
print(answer.decode())
