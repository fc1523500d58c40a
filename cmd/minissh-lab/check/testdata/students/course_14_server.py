# 第十四章 解决粘包：先发长度，等对方确认
import socket


def popen(cmd):
    """代替 subprocess.Popen(cmd, shell=True)"""
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest + '\n', ''
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001)), ''
    if word in ('cd', 'true', ':'):
        return '', ''
    return '', '/bin/sh: %s: command not found\n' % word


s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 8080))
s.listen(5)

while True:
    conn, addr = s.accept()
    print('客户端', addr)
    while True:
        msg = conn.recv(1024)
        if not msg:
            break
        out, err = popen(msg.decode('utf-8'))
        ret = (out + err).encode('utf-8')
        conn.send(str(len(ret)).encode('utf-8'))
        data = conn.recv(1024).decode('utf-8')
        if data == 'recv_ready':
            conn.sendall(ret)
    conn.close()
