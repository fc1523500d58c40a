# 第十九章 面向对象版 客户端（只有上传）
import json
import os
import socket
import struct


class MYTCPClient:
    address_family = socket.AF_INET
    socket_type = socket.SOCK_STREAM
    coding = 'utf-8'

    def __init__(self, server_address):
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.socket.connect(server_address)

    def run(self):
        while True:
            inp = input('>>: ').strip()
            if not inp:
                continue
            cmds = inp.split()
            cmd = cmds[0]
            if hasattr(self, cmd):
                func = getattr(self, cmd)
                func(cmds)

    def put(self, args):
        filename = args[1]
        if not os.path.isfile(filename):
            print('file:%s is not exists' % filename)
            return
        filesize = os.path.getsize(filename)
        head_dic = {'cmd': args[0], 'filename': os.path.basename(filename), 'filesize': filesize}
        head_json_bytes = bytes(json.dumps(head_dic), encoding=self.coding)
        self.socket.send(struct.pack('i', len(head_json_bytes)))
        self.socket.send(head_json_bytes)
        with open(filename, 'rb') as f:
            for line in f:
                self.socket.send(line)


client = MYTCPClient(('127.0.0.1', 8080))
client.run()
