import socket, time
c = socket.socket()
c.connect(('127.0.0.1', 8080))
for w in [b'one', b'two', b'three', b'four']:
    c.send(w)
    time.sleep(0.5)
c.close()
