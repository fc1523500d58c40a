# 第十五章 解决粘包 简单版
import socket
import struct


def popen(cmd):
    """代替 subprocess.Popen(cmd, shell=True)"""
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest.encode('utf-8') + b'\n', b''
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001)).encode('utf-8'), b''
    if word in ('cd', 'true', ':'):
        return b'', b''
    return b'', ('/bin/sh: %s: command not found\n' % word).encode('utf-8')


phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
phone.bind(('127.0.0.1', 8080))
phone.listen(5)

print('starting...')
while True:
    conn, client_addr = phone.accept()
    while True:
        try:
            cmd = conn.recv(1024)
            if not cmd:
                break
            stdout, stderr = popen(cmd.decode('utf-8'))
            # 第一步：报头，固定长度
            total_size = len(stdout) + len(stderr)
            conn.send(struct.pack('i', total_size))
            # 第二步：真实的数据
            conn.send(stdout)
            conn.send(stderr)
        except ConnectionResetError:
            break
    conn.close()
phone.close()
