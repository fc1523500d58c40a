client = socket.socket()
#?buffers client.setsockopt(socket.SOL_SOCKET,
#?buffers                   socket.SO_SNDBUF, $BUFFERS)
client.connect(('127.0.0.1', 8080))
#?nodelay client.setsockopt(socket.IPPROTO_TCP,
#?nodelay                   socket.TCP_NODELAY, 1)
