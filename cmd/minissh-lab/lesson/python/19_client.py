import json
import os
import socket
import struct
import sys

#:part recv_exact


#:part recv_header


#:part call


class MYTCPClient:
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
        head_dic = {'cmd': 'put', 'filename': os.path.basename(filename),
                    'filesize': os.path.getsize(filename)}
        head_bytes = json.dumps(head_dic).encode('utf-8')
        phone.sendall(struct.pack('<i', len(head_bytes)) + head_bytes)
        with open(filename, 'rb') as f:
            phone.sendall(f.read())

    def get(self, args):
        phone.sendall(json.dumps(args).encode('utf-8'))
        head_dic = recv_header(phone)
#[starter
        data = phone.recv(head_dic['filesize'])  # 练习：收够了吗？ / exercise: is it complete?
#]
#[mended
        data = recv_exact(phone, head_dic['filesize'])
#]
        if 'error' in head_dic:
            print(head_dic['error'])
            return
        with open(os.path.basename(args[1]), 'wb') as f:
            f.write(data)


MYTCPClient().run()
