import os
import threading
from lab import address, listening, socket


def serve(conn):
    while True:
        try:
            data = conn.recv(1024)
        except ConnectionResetError:
            break
        if not data:
            break
        conn.sendall(data.upper())
    conn.close()


phone = listening()
try:
    while True:
        conn, addr = phone.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()
except KeyboardInterrupt:
    pass
finally:
    phone.close()
    family, where = address()
    if family != socket.AF_INET:
        os.remove(where)
