import json
import os
import struct
import sys
from lab import calling, recv_exact, recv_header


class MYTCPClient:
    def __init__(self):
        self.socket = calling()

    def run(self):
        while True:
            inp = input('>>: ').strip()
            if not inp:
                continue
            args = inp.split(maxsplit=1)
            try:
                if args[0] == 'put':
                    self.put(args)
                elif args[0] == 'get':
                    self.get(args)
            except (ConnectionError, ValueError) as e:
                sys.exit(str(e))

    def put(self, args):
        filename = args[1]
        head_dic = {'cmd': 'put', 'filename': os.path.basename(filename), 'filesize': os.path.getsize(filename)}
        head_bytes = json.dumps(head_dic).encode('utf-8')
        self.socket.sendall(struct.pack('i', len(head_bytes)) + head_bytes)
        with open(filename, 'rb') as f:
            for line in f:
                self.socket.sendall(line)

    def get(self, args):
        self.socket.sendall(json.dumps(args).encode('utf-8'))
        head_dic = recv_header(self.socket)
        data = recv_exact(self.socket, head_dic['filesize'])
        if 'error' in head_dic:
            print(head_dic['error'])
            return
        with open(os.path.basename(args[1]), 'wb') as f:
            f.write(data)


MYTCPClient().run()
