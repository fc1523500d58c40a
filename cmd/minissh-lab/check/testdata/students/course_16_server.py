# 第十六章 解决粘包 终极版
import json
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

while True:
    conn, client_addr = phone.accept()
    while True:
        try:
            cmd = conn.recv(1024)
            if not cmd:
                break
            stdout, stderr = popen(cmd.decode('utf-8'))
            # 1、报头
            header_dic = {
                'filename': 'a.txt',
                'md5': 'xxdxxx',
                'total_size': len(stdout) + len(stderr),
            }
            header_bytes = json.dumps(header_dic).encode('utf-8')
            # 2、报头的长度
            conn.send(struct.pack('i', len(header_bytes)))
            # 3、报头
            conn.send(header_bytes)
            # 4、数据
            conn.send(stdout)
            conn.send(stderr)
        except ConnectionResetError:
            break
    conn.close()
