import socket
import sys

#:part call
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
    total = int(phone.recv(1024))
    phone.sendall(b'recv_ready')
#[starter
    print(phone.recv(total).decode('utf-8'))  # 练习：收够了吗？ / exercise: is that all of it?
#]
#[mended
    data = b''
    while len(data) < total:
        res = phone.recv(min(1024, total - len(data)))
        if not res:
            sys.exit('断开了 / the connection ended')
        data += res
    print(data.decode('utf-8'))
#]
