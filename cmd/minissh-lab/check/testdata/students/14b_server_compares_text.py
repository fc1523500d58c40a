import socket
import threading


def popen(cmd):
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest + '\n', ''
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001)), ''
    if word in ('cd', 'true', ':'):
        return '', ''
    return '', '/bin/sh: %s: command not found\n' % word


def session(conn):
    with conn:
        try:
            while True:
                cmd = conn.recv(1024)
                if not cmd:
                    return
                out, err = popen(cmd.decode())
                result = (out + err).encode()
                conn.sendall(str(len(result)).encode())
                if conn.recv(1024) == 'recv_ready':
                    conn.sendall(result)
        except ConnectionError as e:
            print(e)


server = socket.create_server(('127.0.0.1', 8080))
while True:
    client, _ = server.accept()
    threading.Thread(target=session, args=[client], daemon=True).start()
