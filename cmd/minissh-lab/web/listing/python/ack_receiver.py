import socket
import sys
#?delay import time

#:part accept
count = 0
while True:
    digits = conn.recv($RECV)  #@ recv:digits
    if not digits:  #@ end
        break  #@ end
#?delay     if count > 0:  #@ nap:ack
#?delay         time.sleep($DELAY)  #@ nap:ack
    conn.send(b'recv_ready')  #@ ack
    data, size = b'', int(digits)
    while len(data) < size:
        want = min(size - len(data), $RECV)
        part = conn.recv(want)  #@ recv:data
        if not part:
            sys.exit()
        data += part
    print(data)  #@ message
    count += 1
