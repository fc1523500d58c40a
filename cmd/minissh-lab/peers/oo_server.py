import json
import os
import socket
import struct
import sys
from addr import address, started


class MYTCPServer:
    def __init__(self, share):
        family, ip_port = address(8080)
        self.share = share
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.bind(ip_port)
        self.socket.listen(5)
        started(self.socket)

    def run(self):
        self.conn, _ = self.socket.accept()
        while True:
            head = self.conn.recv(4)
            if not head:
                break
            head_len = struct.unpack('i', head)[0]
            head_dic = json.loads(self.conn.recv(head_len).decode('utf-8'))
            if hasattr(self, head_dic['cmd']):  # any attribute will do
                getattr(self, head_dic['cmd'])(head_dic)

    def put(self, args):
        recv_size = 0
        with open(os.path.join(self.share, args['filename']), 'wb') as f:
            while recv_size < args['filesize']:
                data = self.conn.recv(1024)
                f.write(data)
                recv_size += len(data)
        print('saved', args['filename'], recv_size, flush=True)


class GetServer(MYTCPServer):
    def run(self):
        self.conn, _ = self.socket.accept()
        while True:
            msg = self.conn.recv(1024)
            if not msg:
                break
            cmd, name = json.loads(msg.decode('utf-8'))
            getattr(self, cmd)(name)

    def get(self, name):
        path = os.path.join(self.share, name)
        head = json.dumps({'filename': name, 'filesize': os.path.getsize(path)}).encode('utf-8')
        self.conn.send(struct.pack('i', len(head)))
        self.conn.send(head)
        with open(path, 'rb') as f:
            self.conn.sendall(f.read())


(GetServer if 'get' in sys.argv else MYTCPServer)(sys.argv[2]).run()
