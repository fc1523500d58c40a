import socket
import threading


def serve(conn):
    buffer = b''
    try:
        while True:
            while b'\r\n\r\n' not in buffer:
                data = conn.recv(65536)
                if not data:
                    return
                buffer += data
            head, buffer = buffer.split(b'\r\n\r\n', 1)
            lines = head.decode('latin-1').split('\r\n')
            headers = {}
            for line in lines[1:]:
                name, value = line.split(':', 1)
                headers[name.strip().lower()] = value.strip()
            body = b''
            if headers.get('transfer-encoding') == 'chunked':
                while True:
                    while b'\r\n' not in buffer:
                        data = conn.recv(65536)
                        if not data:
                            return
                        buffer += data
                    size, buffer = buffer.split(b'\r\n', 1)
                    size = int(size.split(b';')[0], 16)
                    while len(buffer) < size + 2:
                        data = conn.recv(65536)
                        if not data:
                            return
                        buffer += data
                    body += buffer[:size]
                    buffer = buffer[size + 2:]
                    if size == 0:
                        break
            else:
                size = int(headers.get('content-length', '0'))
                while len(buffer) < size:
                    data = conn.recv(65536)
                    if not data:
                        return
                    buffer += data
                body, buffer = buffer[:size], buffer[size:]
            status = '200 OK' if lines[0].startswith('POST /upper ') else '404 Not Found'
            answer = body.decode('utf-8').upper()
            data = answer.encode('utf-8')
            conn.sendall(('HTTP/1.1 %s\nContent-Length: %d\n\n'
                          % (status, len(data))).encode() + data)
            if headers.get('connection', '').lower() == 'close':
                return
    except (OSError, ValueError) as e:
        print(e)
    finally:
        conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
