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
        except ConnectionResetError:
            break
        if not cmd:
            break
        data = run(cmd.decode('utf-8'))
#[starter
        conn.sendall(data)  # 练习：没有输出的命令，比如 cd / / exercise: a command without output
#]
#[mended
        conn.sendall(data or b'(no output)\n')
#]
    conn.close()


#:part threads
