import json
import socket
import struct
import sys
from addr import address

fmt = sys.argv[2] if len(sys.argv) > 2 else 'i'
key = sys.argv[3] if len(sys.argv) > 3 else 'total_size'
family, ip_port = address(8080)
client = socket.socket(family, socket.SOCK_STREAM)
client.connect(ip_port)
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    client.send(cmd.encode('utf-8'))
    head_len = struct.unpack(fmt, client.recv(4))[0]
    head_dic = json.loads(client.recv(head_len).decode('utf-8'))
    data_len = head_dic[key]
    if 'ready' in sys.argv:  # a copy that kept chapter 14's ack
        client.send('recv_ready'.encode('utf-8'))
    recv_size = 0
    data = b''
    while recv_size < data_len:
        got = client.recv(1024)
        data += got
        recv_size += len(got)
    print('[%d]' % len(data))
    print(data.decode('utf-8'))
client.close()
