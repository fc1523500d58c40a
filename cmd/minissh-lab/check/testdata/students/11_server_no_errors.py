import socket


def run_command(cmd):
    """returns stdout, stderr (simulated, no real shell)"""
    parts = cmd.split(' ', 1)
    if parts[0] == 'echo':
        return parts[1] + '\n', ''
    if parts[0] in ('seq', 'for'):
        return '\n'.join(str(n) for n in range(1, 1001)) + '\n', ''
    if parts[0] in ('cd', 'true', ':'):
        return '', ''
    return '', 'sh: 1: %s: not found\n' % parts[0]


ssh = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
ssh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
ssh.bind(('127.0.0.1', 8080))
ssh.listen(5)
while True:
    conn, addr = ssh.accept()
    while True:
        try:
            cmd = conn.recv(1024)
            if not cmd:
                break
            out, err = run_command(cmd.decode('utf-8'))
            if not out:
                out = '(no output)\n'
            conn.sendall(out.encode('utf-8'))
        except ConnectionError:
            break
    conn.close()
