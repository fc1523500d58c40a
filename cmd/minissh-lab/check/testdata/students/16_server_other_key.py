import json
import socket
import struct
from threading import Thread


def shell(cmd):
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest + '\n'
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001))
    if word in ('cd', 'true', ':'):
        return ''
    return '/bin/sh: %s: command not found\n' % word


def frame(data):
    head = json.dumps({'filename': 'a.txt', 'md5': 'xxdxxx', 'len': len(data)})
    head = head.encode('utf-8')
    return struct.pack('i', len(head)) + head + data


def work(conn):
    while True:
        try:
            cmd = conn.recv(1024)
            if not cmd:
                break
            conn.sendall(frame(shell(cmd.decode('utf-8')).encode('utf-8')))
        except ConnectionError:
            break
    conn.close()


s = socket.create_server(('127.0.0.1', 8080))
while True:
    Thread(target=work, args=(s.accept()[0],), daemon=True).start()
