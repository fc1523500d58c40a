import json
import os
import socket
import struct
import threading


class MYTCPServer:
    max_packet_size = 8192

    def __init__(self, conn):
        self.conn = conn

    def until(self, data, n, limit):
        """data, and as much more as makes n bytes"""
        if not 0 <= n <= limit:
            raise ConnectionError('refused')
        while len(data) < n:
            res = self.conn.recv(self.max_packet_size)
            if not res:
                raise ConnectionError('closed')
            data += res
        return data

    def run(self):
        try:
            while True:
                data = self.until(b'', 1, 1)
                if data[:1] == b'[':
                    cmd, name = json.loads(data.decode('utf-8'))
                    if cmd == 'get':
                        self.get(os.path.basename(name))
                    continue
                data = self.until(data, 4, 4)
                n = struct.unpack('i', data[:4])[0]
                data = self.until(data[4:], n, 8192)
                self.put(json.loads(data[:n].decode('utf-8')))
        except (ConnectionError, ValueError) as e:
            print(e)
        self.conn.close()

    def put(self, args):
        size = args['filesize']
        data = self.until(b'', size, 1 << 26)
        with open(os.path.basename(args['filename']), 'wb') as f:
            f.write(data[:size])

    def get(self, name):
        data = open(name, 'rb').read() if os.path.isfile(name) else b''
        head = json.dumps({'filename': name, 'filesize': len(data)}).encode('utf-8')
        self.conn.sendall(struct.pack('i', len(head)) + head + data)


phone = socket.create_server(('127.0.0.1', 8080))
while True:
    threading.Thread(target=MYTCPServer(phone.accept()[0]).run, daemon=True).start()
