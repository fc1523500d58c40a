import socket
import sys

with socket.create_connection(('127.0.0.1', 8080), timeout=3) as s:
    s.sendall(sys.stdin.buffer.read())
    s.shutdown(socket.SHUT_WR)
    try:
        answer = s.makefile('rb').read()
    except OSError as e:
        print('no answer:', e, file=sys.stderr)
        sys.exit(1)
print(answer.decode())
