import json
import struct
import threading
from lab import listening, popen


def serve(conn):
    while True:
        try:
            cmd = conn.recv(1024).decode('utf-8')
        except ConnectionResetError:
            break
        if not cmd:
            break
        out, err = popen(cmd)
        data = (out + err).encode('utf-8')
        head_dic = {'filename': cmd, 'md5': 'xxdxxx', 'total_size': len(data)}
        head_json = json.dumps(head_dic, ensure_ascii=False)
        head_bytes = head_json.encode('utf-8')
        conn.sendall(struct.pack('i', len(head_bytes)))
        conn.sendall(head_bytes)
        conn.sendall(data)
    conn.close()


phone = listening()
while True:
    conn, addr = phone.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
