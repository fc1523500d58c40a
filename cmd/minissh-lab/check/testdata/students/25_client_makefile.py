import socket
import ssl
import struct

context = ssl.create_default_context(cafile='cert.pem')
with socket.create_connection(('127.0.0.1', 8080)) as plain:
    with context.wrap_socket(plain, server_hostname='localhost') as s:
        f = s.makefile('rb')
        while True:
            try:
                command = input('tls> ')
            except EOFError:
                break
            if not command:
                continue
            s.sendall(command.encode())
            head = f.read(4)
            if len(head) < 4:
                print('the server has gone')
                break
            size, = struct.unpack('<i', head)
            if not 0 <= size <= 10000000:
                print('a bad length:', size)
                break
            data = f.read(size)
            if len(data) < size:
                print('cut off')
                break
            print(data.decode())
