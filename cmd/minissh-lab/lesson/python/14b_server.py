import socket
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
            conn.sendall(str(len(data)).encode('utf-8'))
#[starter
            conn.sendall(data)  # 练习：先等 recv_ready / exercise: wait for recv_ready first
#]
#[mended
            if conn.recv(1024) != b'recv_ready':
                break
            conn.sendall(data)
#]
        except (ConnectionResetError, BrokenPipeError):
            break
    conn.close()


#:part threads
