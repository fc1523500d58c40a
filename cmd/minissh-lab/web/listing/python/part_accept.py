server = socket.socket()
#?buffers server.setsockopt(socket.SOL_SOCKET,
#?buffers                   socket.SO_RCVBUF, $BUFFERS)
server.bind(('127.0.0.1', 8080))
server.listen(5)
conn, addr = server.accept()
#?delay # 忙别的，晚一点才读 / busy elsewhere, so it reads late
#?delay time.sleep($DELAY)  #@ nap
