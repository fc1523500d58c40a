import socket
#?delay import time

#:part accept
data = b''
while True:
    part = conn.recv($RECV)  #@ recv
    if not part:  #@ end
        break  #@ end
    data += part
    while b'\n' in data:
        line, data = data.split(b'\n', 1)
        print(line)  #@ message
