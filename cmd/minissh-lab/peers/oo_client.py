import json
import os
import socket
import struct
import sys
from addr import address


class MYTCPClient:
    def __init__(self, folder):
        family, ip_port = address(8080)
        self.folder = folder
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.connect(ip_port)

    def run(self):
        while True:
            inp = input('>>: ').strip()
            if not inp:
                continue
            if inp == 'quit':
                break
            words = inp.split()
            if hasattr(self, words[0]):
                getattr(self, words[0])(words)

    def put(self, words):
        path = os.path.join(self.folder, words[1])
        head = json.dumps({'cmd': 'put', 'filename': words[1], 'filesize': os.path.getsize(path)}).encode('utf-8')
        self.socket.send(struct.pack('i', len(head)))
        self.socket.send(head)
        with open(path, 'rb') as f:
            for line in f:
                self.socket.send(line)

    def get(self, words):
        self.socket.send(json.dumps(words).encode('utf-8'))
        head_len = struct.unpack('i', self.socket.recv(4))[0]
        head_dic = json.loads(self.socket.recv(head_len).decode('utf-8'))
        recv_size = 0
        with open(os.path.join(self.folder, 'got-' + os.path.basename(words[1])), 'wb') as f:
            while recv_size < head_dic['filesize']:
                data = self.socket.recv(1024)
                f.write(data)
                recv_size += len(data)
        print('got', head_dic['filename'], recv_size, head_dic.get('error', ''))


MYTCPClient(sys.argv[2]).run()
