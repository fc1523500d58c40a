import threading
from lab import listening, popen


def serve(conn):
    while True:
        try:
            cmd = conn.recv(1024)
            if not cmd:
                break
            out, err = popen(cmd.decode('utf-8'))
            data = (out + err).encode('utf-8')
            conn.sendall(str(len(data)).encode('utf-8'))
            if conn.recv(1024) != b'recv_ready':
                break
            conn.sendall(data)
        except ConnectionResetError:
            break
    conn.close()


phone = listening()
while True:
    conn, addr = phone.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
