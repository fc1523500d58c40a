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
            cmd = conn.recv(1024)
            if not cmd:
                break
            data = run(cmd.decode('utf-8'))
#[starter
            conn.sendall(data)  # 练习：前面先发 4 字节的长度 / exercise: 4 bytes of length first
#]
#[mended
            conn.sendall(struct.pack('<i', len(data)) + data)
#]
        except (ConnectionResetError, BrokenPipeError):
            break
    conn.close()


#:part threads
