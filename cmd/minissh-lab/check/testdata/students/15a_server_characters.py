import socket
import struct
from threading import Thread

ADDR = ('127.0.0.1', 8080)


def execute(cmd):
    """没有真的 shell，只有几个命令"""
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest + '\n'
    if word in ('seq', 'for'):
        return ''.join(str(n) + '\n' for n in range(1, 1001))
    if word in ('cd', 'true', ':'):
        return ''
    return '/bin/sh: ' + word + ': command not found\n'


def serve(conn):
    with conn:
        while True:
            try:
                cmd = conn.recv(1024).decode('utf-8')
                if not cmd:
                    return
                result = execute(cmd)
                conn.sendall(struct.pack('i', len(result)))
                conn.sendall(result.encode('utf-8'))
            except ConnectionError:
                return


with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(ADDR)
    listener.listen()
    while True:
        conn, _ = listener.accept()
        Thread(target=serve, args=(conn,), daemon=True).start()
