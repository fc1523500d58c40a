import json, selectors, socket, struct, sys, os
s = socket.create_connection(('127.0.0.1', 8080))
s.setblocking(False)
sel = selectors.DefaultSelector()
sel.register(s, 1); sel.register(sys.stdin, 1)
buf = b''; inb = b''
print('? ', end='', flush=True)
while True:
    for k, _ in sel.select():
        if k.fileobj is s:
            d = s.recv(1024)
            if not d:
                print('bye'); sys.exit(0 if not buf else 3)
            buf += d
            while len(buf) >= 4:
                n = int.from_bytes(buf[:4], 'little', signed=True)
                if n <= 0 or n > 10000:
                    print('refused'); sys.exit(3)
                if len(buf) < 4 + n: break
                h = json.loads(buf[4:4+n]); z = h['total_size']
                if z < 0 or z > 10**8: print('refused'); sys.exit(3)
                if len(buf) < 4 + n + z: break
                print(buf[4+n:4+n+z].decode()); buf = buf[4+n+z:]
                print('? ', end='', flush=True)
        else:
            d = os.read(0, 100)
            if not d: sys.exit(0)
            inb += d
            while b'\n' in inb:
                l, inb = inb.split(b'\n', 1)
                if l.strip(): s.sendall(l.strip())
