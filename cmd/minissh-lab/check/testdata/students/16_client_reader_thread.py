# background reader thread, colours, other prompt
import json, socket, struct, sys, threading, os
s = socket.create_connection(('127.0.0.1', 8080))
f = s.makefile('rb')
def need(n):
    d = f.read(n)
    if len(d) < n:
        raise EOFError('server gone')
    return d
def reader():
    try:
        while True:
            n = struct.unpack('<i', need(4))[0]
            if n <= 0 or n > 65536:
                raise ValueError('bad header')
            h = json.loads(need(n))
            size = h['total_size']
            if size < 0 or size > 1 << 26:
                raise ValueError('bad size')
            t = need(size).decode()
            for line in t.splitlines():
                sys.stdout.write('\x1b[32m' + line + '\x1b[0m\n')
            sys.stdout.flush()
    except (EOFError, ValueError) as e:
        sys.stderr.write('error: %s\n' % e)
        os._exit(1)
threading.Thread(target=reader, daemon=True).start()
sys.stdout.write('\x1b[1;34mstudent@lab\x1b[0m$ ')
for line in sys.stdin:
    line = line.strip()
    if line:
        s.sendall(line.encode())
    sys.stdout.write('\x1b[1;34mstudent@lab\x1b[0m$ ')
