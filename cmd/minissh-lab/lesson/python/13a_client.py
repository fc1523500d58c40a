import socket
import sys
#[starter
import time
#]

#:part call
for word in (b'one', b'two', b'three', b'four'):
    phone.sendall(word)
#[starter
    time.sleep(1)  # 练习：先猜，对方会有几次 recv？ / exercise: guess first, how many recvs are there?
#]
#[mended
    phone.recv(1)  # 握手：对方收到了才发下一个 / a handshake: wait until it has been received
#]
phone.close()
