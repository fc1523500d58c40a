import json
import socket
import struct
import sys
import codecs

s = socket.create_connection(('127.0.0.1', 8080))


def recv_exact(n):
    data = b''
    while len(data) < n:
        res = s.recv(n - len(data))
        if not res:
            sys.exit('closed')
        data += res
    return data


def recv_text(total):
    decoder = codecs.getincrementaldecoder('utf-8')()
    text = ''
    while len(text) < total:
        res = s.recv(1024)
        if not res:
            sys.exit('closed')
        text += decoder.decode(res)
    return text


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    s.sendall(cmd.encode('utf-8'))
    n = struct.unpack('i', recv_exact(4))[0]
    if not 0 < n < 10000:
        sys.exit('报头 %d' % n)
    size = json.loads(recv_exact(n).decode('utf-8'))['total_size']
    if not 0 <= size < 1 << 27:
        sys.exit('数据 %d' % size)
    print(recv_text(size))
