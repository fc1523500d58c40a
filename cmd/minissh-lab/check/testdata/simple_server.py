import struct
import threading
from lab import listening, popen


def serve(conn):
    while True:
        try:
            cmd = conn.recv(1024)
        except ConnectionResetError:
            break
        if not cmd:
            break
        out, err = popen(cmd.decode('utf-8'))
        data = (out + err).encode('utf-8')
        conn.sendall(struct.pack('i', len(data)) + data)
    conn.close()


phone = listening()
while True:
    conn, addr = phone.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
