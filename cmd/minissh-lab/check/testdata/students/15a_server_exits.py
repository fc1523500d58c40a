import os
import socket
import struct


def run(cmd):
    word, _, rest = cmd.partition(' ')
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001)).encode('utf-8')
    if word == 'echo':
        return rest.encode('utf-8') + b'\n'
    return b'' if word == 'cd' else b'not found\n'


phone = socket.create_server(('127.0.0.1', 8080))
count = 0
while True:
    conn, _ = phone.accept()
    while True:
        try:
            cmd = conn.recv(1024)
        except ConnectionResetError:
            break
        if not cmd:
            break
        data = run(cmd.decode('utf-8'))
        conn.sendall(struct.pack('i', len(data)) + data)
        count += 1
        if count == 3:
            os._exit(1)
    conn.close()
