import json
import socket
import struct
import sys


def recvall(sock, n):
    out = b''
    while len(out) < n:
        x = sock.recv(n - len(out))
        if not x:
            sys.exit('closed')
        out += x
    return out


client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    client.sendall(cmd.encode('utf-8'))
    n = struct.unpack('i', recvall(client, 4))[0]
    if n <= 0 or n > 8192:
        sys.exit('header?')
    head = json.loads(recvall(client, n).decode('utf-8'))
    if not 0 <= head['total_size'] <= 1 << 30:
        sys.exit('size?')
    if head['total_size'] == 0:
        print('')
        continue
    data = client.recv(8192)  # 1024 太小了
    if not data:
        break
    print(data.decode('utf-8', 'replace'))
