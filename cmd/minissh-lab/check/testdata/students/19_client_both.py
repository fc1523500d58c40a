import json
import os
import socket
import struct


class MYTCPClient:
    coding = 'utf-8'
    max_packet_size = 8192

    def __init__(self, server_address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.connect(server_address)

    def recv(self, n, limit):
        if n < 0 or n > limit:
            raise SystemExit('不接受长度 %d' % n)
        data = b''
        while len(data) < n:
            res = self.socket.recv(min(self.max_packet_size, n - len(data)))
            if not res:
                raise SystemExit('连接断开')
            data += res
        return data

    def put(self, args):
        filename = args[1]
        if not os.path.isfile(filename):
            print('file:%s is not exists' % filename)
            return
        head_dic = {'cmd': 'put', 'filename': os.path.basename(filename),
                    'filesize': os.path.getsize(filename)}
        head_json = bytes(json.dumps(head_dic), encoding=self.coding)
        self.socket.sendall(struct.pack('i', len(head_json)) + head_json)
        with open(filename, 'rb') as f:
            for line in f:
                self.socket.sendall(line)

    def get(self, args):
        self.socket.sendall(json.dumps(args).encode(self.coding))
        n = struct.unpack('i', self.recv(4, 4))[0]
        head_dic = json.loads(self.recv(n, 8192).decode(self.coding))
        data = self.recv(head_dic['filesize'], 1 << 27)
        if head_dic.get('error'):
            print(head_dic['error'])
            return
        with open(os.path.basename(args[1]), 'wb') as f:
            f.write(data)


client = MYTCPClient(('127.0.0.1', 8080))
while True:
    words = input('>>: ').strip().split(maxsplit=1)
    if len(words) == 2 and words[0] in ('get', 'put'):
        getattr(client, words[0])(words)
