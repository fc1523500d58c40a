import socket
import ssl
import struct
import sys


def receive(conn, n):
    data = b''
    while len(data) < n:
        piece = conn.recv(min(n - len(data), 65536))
        if not piece:
            sys.exit('the connection ended')
        data += piece
    return data


context = ssl.create_default_context(cafile='cert.pem')
phone = socket.create_connection(('127.0.0.1', 8080))
while True:
    msg = input('>>: ').strip()
    if not msg:
        continue
    phone.sendall(msg.encode('utf-8'))
    total = struct.unpack('<i', receive(phone, 4))[0]
    if total < 0 or total > 1 << 24:
        sys.exit('length %d refused' % total)
    print(receive(phone, total).decode('utf-8'))
