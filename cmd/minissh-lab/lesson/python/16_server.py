import json
import socket
import struct
import subprocess
import sys
import threading

#:part listen


#:part run


def serve(conn):
    while True:
        try:
            cmd = conn.recv(1024).decode('utf-8')
            if not cmd:
                break
            data = run(cmd)
            head_json = json.dumps({'filename': cmd, 'md5': 'xxdxxx', 'total_size': len(data)})
            head_bytes = head_json.encode('utf-8')
#[starter
            conn.sendall(head_bytes + data)  # 练习：报头有多长？ / exercise: how long is the header?
#]
#[mended
            conn.sendall(struct.pack('<i', len(head_bytes)) + head_bytes)
            conn.sendall(data)
#]
        except (ConnectionResetError, BrokenPipeError):
            break
    conn.close()


#:part threads
