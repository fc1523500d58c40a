import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect(('127.0.0.1', 8080))
try:
    for line in sys.stdin:
        line = line.rstrip('\n')
        if not line:
            continue
        sock.sendall(line.encode())
        reply = sock.recv(4096)
        if not reply:
            break
        sys.stdout.write(reply.decode() + '\n')
        sys.stdout.flush()
finally:
    sock.close()
