# 第十九章 面向对象版 服务端（只有上传）
import json
import os
import socket
import struct


class MYTCPServer:
    address_family = socket.AF_INET
    socket_type = socket.SOCK_STREAM
    max_packet_size = 8192
    coding = 'utf-8'
    request_queue_size = 5

    def __init__(self, server_address):
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(server_address)
        self.socket.listen(self.request_queue_size)

    def run(self):
        while True:
            self.conn, self.client_addr = self.socket.accept()
            while True:
                try:
                    head_struct = self.conn.recv(4)
                    if not head_struct:
                        break
                    head_len = struct.unpack('i', head_struct)[0]
                    head_json = self.conn.recv(head_len).decode(self.coding)
                    head_dic = json.loads(head_json)
                    cmd = head_dic['cmd']
                    if hasattr(self, cmd):
                        getattr(self, cmd)(head_dic)
                except Exception as e:
                    print(e)
                    break
            self.conn.close()

    def put(self, args):
        file_path = os.path.normpath(args['filename'])
        filesize = args['filesize']
        recv_size = 0
        with open(file_path, 'wb') as f:
            while recv_size < filesize:
                recv_data = self.conn.recv(self.max_packet_size)
                f.write(recv_data)
                recv_size += len(recv_data)


MYTCPServer(('127.0.0.1', 8080)).run()
